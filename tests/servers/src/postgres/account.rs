//! The account of the server's processes: PostgreSQL refuses to run as root.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};

/// The account that owns a cluster and runs its processes.
#[derive(Debug, Clone)]
pub(crate) struct Account {
    /// Words in front of a command that make it run as this account.
    prefix: Vec<OsString>,
    /// The ids that become the owner of its folders; `None` if the current user owns them.
    owner: Option<(u32, u32)>,
}

impl Account {
    /// Returns the current account, or `postgres` or `nobody` if that is root.
    pub(crate) fn unprivileged() -> Self {
        if user() != 0 {
            return Self {
                prefix: Vec::new(),
                owner: None,
            };
        }
        let (name, user, group) = ["postgres", "nobody"]
            .into_iter()
            .find_map(|name| Some((name, id(&["-u", name])?, id(&["-g", name])?)))
            .expect("root needs a user `postgres` or `nobody` to run PostgreSQL as");
        let words = switches(name, user, group)
            .into_iter()
            .find(|words| succeeds(words))
            .expect("root needs `setpriv`, `runuser` or `su` to run PostgreSQL as somebody else");
        Self {
            prefix: words.into_iter().map(OsString::from).collect(),
            owner: Some((user, group)),
        }
    }

    /// Returns a program after the words that make it run as this account.
    pub(crate) fn words(&self, program: impl AsRef<OsStr>) -> Vec<OsString> {
        let mut words = self.prefix.clone();
        words.push(program.as_ref().to_owned());
        words
    }

    /// Returns a command that runs as this account, in this folder.
    pub(super) fn command(&self, program: impl AsRef<OsStr>, folder: &Path) -> Command {
        let words = self.words(program);
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .current_dir(folder)
            .stdin(Stdio::null())
            .env("LC_ALL", "C");
        for name in ["PGDATA", "PGHOST", "PGPORT", "PGUSER", "PGOPTIONS"] {
            command.env_remove(name);
        }
        command
    }

    /// Makes this account the owner of a folder. Returns `true` if the account can reach it.
    pub(super) fn take(&self, folder: &Path) -> bool {
        if let Some((user, group)) = self.owner {
            std::os::unix::fs::chown(folder, Some(user), Some(group)).unwrap();
        }
        let mut command = self.command("test", Path::new("/"));
        command.arg("-w").arg(folder).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    }
}

/// Returns the ways to become another user, best first.
fn switches(name: &str, user: u32, group: u32) -> [Vec<String>; 3] {
    let setpriv = format!("setpriv --reuid={user} --regid={group} --clear-groups --");
    let runuser = format!("runuser -u {name} --");
    let split = |words: String| words.split(' ').map(str::to_owned).collect();
    let su = [
        "su",
        "-s",
        "/bin/sh",
        "-c",
        "exec \"$0\" \"$@\"",
        "--",
        name,
    ];
    [split(setpriv), split(runuser), su.map(str::to_owned).into()]
}

fn succeeds(words: &[String]) -> bool {
    Command::new(&words[0])
        .args(&words[1..])
        .arg("true")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// Returns the current user's id.
pub(super) fn user() -> u32 {
    id(&["-u"]).expect("`id -u` tells the user's id")
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_runs_a_program_as_somebody_else_with_its_arguments() {
        if user() != 0 {
            println!("only root can become somebody else");
            return;
        }
        let (user, group) = (
            id(&["-u", "nobody"]).unwrap(),
            id(&["-g", "nobody"]).unwrap(),
        );
        for words in switches("nobody", user, group) {
            if !succeeds(&words) {
                continue;
            }
            let output = Command::new(&words[0])
                .args(&words[1..])
                .args(["sh", "-c", "id -u; echo \"$1\"", "sh", "-D a b"])
                .output()
                .unwrap();
            let text = String::from_utf8(output.stdout).unwrap();
            assert_eq!(text, format!("{user}\n-D a b\n"), "{words:?}");
        }
    }
}
