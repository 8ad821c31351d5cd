//! The service's command-line options.

/// The command line.
#[derive(Debug, Default)]
pub(crate) struct Orders {
    /// The file of the database.
    pub(crate) file: String,
    /// The port to listen on; 0 for any.
    pub(crate) port: u16,
    /// If `true`, the API requires a token.
    pub(crate) tokens: bool,
    /// The number of idle jobs to add.
    pub(crate) crowd: usize,
    /// If `true`, the service has a history to show.
    pub(crate) story: bool,
}

impl Orders {
    /// Parses the command line of this process.
    pub(crate) fn read() -> Result<Self, String> {
        let mut arguments = std::env::args().skip(1);
        let file = arguments.next().ok_or("name the file of the database")?;
        let mut orders = Self {
            file,
            ..Self::default()
        };
        for argument in arguments {
            let number = |text: &str| text.parse().map_err(|_| format!("`{argument}`: no number"));
            match argument.split_once('=') {
                Some(("--port", port)) => {
                    orders.port = port.parse().map_err(|_| format!("`{argument}`: no port"))?;
                }
                Some(("--crowd", count)) => orders.crowd = number(count)?,
                None if argument == "--tokens" => orders.tokens = true,
                None if argument == "--story" => orders.story = true,
                _ => return Err(format!("`{argument}` means nothing here")),
            }
        }
        Ok(orders)
    }
}
