//! The service and the browser of a test.

use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};

use futures_util::FutureExt;

use crate::evidence;
use crate::page::Page;
use crate::programs::Programs;
use crate::service::Service;

/// The service with which a test starts.
#[derive(Debug)]
pub struct Setup {
    program: PathBuf,
    arguments: Vec<&'static str>,
}

impl Setup {
    /// Starts from this service program. Its API is open, and it has only its static jobs.
    pub fn new(program: impl AsRef<Path>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            arguments: Vec::new(),
        }
    }

    /// Adds a command-line argument of the service, such as `--tokens`.
    #[must_use]
    pub fn with(mut self, argument: &'static str) -> Self {
        self.arguments.push(argument);
        self
    }

    /// Opens a scene and plays it. If that fails, saves a screenshot of the page; otherwise asserts that the page has
    /// not logged faults to the browser's console.
    pub async fn play(self, play: impl AsyncFnOnce(&mut Scene)) {
        let Some(programs) = Programs::find() else {
            return;
        };
        let service = Service::start(&self.program, &self.arguments);
        let page = Page::open(&programs, service.address()).await;
        let mut scene = Scene { page, service };
        let result = AssertUnwindSafe(async {
            play(&mut scene).await;
            let faults: Vec<_> = scene.page.console().await;
            let faults: Vec<_> = faults.iter().filter(|message| message.is_fault()).collect();
            assert!(faults.is_empty(), "the page complains: {faults:#?}");
        })
        .catch_unwind()
        .await;
        if let Err(panic) = result {
            let thread = std::thread::current();
            let name = thread.name().unwrap_or("test").replace("::", "-");
            evidence::save(&name, &scene.page, &scene.service.log()).await;
            resume_unwind(panic);
        }
    }
}

/// A service, and a browser that shows its page.
#[derive(Debug)]
pub struct Scene {
    /// The page.
    pub page: Page,
    /// The service.
    pub service: Service,
}
