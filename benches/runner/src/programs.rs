//! Builds the measured programs, and knows where they are.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use crate::subject::Program;

/// The programs, each built on first use. Clones share the built programs.
#[derive(Debug, Clone)]
pub struct Programs(Rc<Folders>);

#[derive(Debug)]
struct Folders {
    benches: PathBuf,
    target: PathBuf,
    built: RefCell<BTreeMap<String, Result<Vec<PathBuf>, String>>>,
}

impl Programs {
    pub fn new(benches: &Path) -> Self {
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        Self(Rc::new(Folders {
            benches: benches.to_owned(),
            target: target.unwrap_or_else(|| benches.join("target")),
            built: RefCell::default(),
        }))
    }

    /// Returns the repository that is measured.
    pub fn repository(&self) -> &Path {
        self.0.benches.parent().unwrap_or(Path::new(".."))
    }

    /// Returns a command for the program, without arguments.
    pub fn command(&self, program: Program) -> Result<Command, String> {
        let key = format!("{program:?}");
        let built = self.0.built.borrow().get(&key).cloned();
        let words = built.unwrap_or_else(|| {
            let words = self.build(program);
            self.0.built.borrow_mut().insert(key, words.clone());
            words
        })?;
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        Ok(command)
    }

    fn build(&self, program: Program) -> Result<Vec<PathBuf>, String> {
        let Folders {
            benches, target, ..
        } = &*self.0;
        match program {
            Program::Own(name) => {
                eprintln!("   building {name}");
                let mut cargo = cargo();
                cargo.args(["build", "--release", "--package", name, "--manifest-path"]);
                cargo
                    .arg(benches.join("Cargo.toml"))
                    .arg("--target-dir")
                    .arg(target);
                done(&mut cargo)?;
                Ok(vec![target.join("release").join(name)])
            }
            Program::Peer(name) => {
                eprintln!("   building peer {name}");
                let target = target.join("peers").join(name);
                let manifest = benches.join("peers").join(name).join("Cargo.toml");
                let mut cargo = cargo();
                cargo
                    .args(["build", "--release", "--locked", "--manifest-path"])
                    .arg(manifest);
                done(cargo.arg("--target-dir").arg(&target))?;
                Ok(vec![target.join("release").join(format!("peer-{name}"))])
            }
            Program::Python => {
                let folder = target.join("apscheduler");
                let python = folder.join("bin/python");
                if !folder.join("complete").exists() {
                    eprintln!("   installing APScheduler");
                    done(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
                    let packages = [
                        "APScheduler==3.11.2",
                        "SQLAlchemy==2.1.9",
                        "psycopg2-binary==2.9.13",
                    ];
                    done(
                        Command::new(&python)
                            .args(["-m", "pip", "-q", "install"])
                            .args(packages),
                    )?;
                    std::fs::write(folder.join("complete"), "")
                        .map_err(|error| error.to_string())?;
                }
                Ok(vec![python, benches.join("peers/apscheduler/peer.py")])
            }
        }
    }
}

/// Returns the cargo that runs this program, without the variables that it sets for its own children.
pub fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let told = name.to_string_lossy();
        if told.starts_with("CARGO_PKG_") || told.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Runs a command to its end. Returns its output, or the end of its error output.
pub fn done(command: &mut Command) -> Result<String, String> {
    let output = command
        .output()
        .map_err(|error| format!("{command:?}: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text.lines().rev().take(20).collect();
    let end: Vec<&str> = lines.into_iter().rev().collect();
    Err(format!(
        "{command:?}: {}\n{}",
        output.status,
        end.join("\n")
    ))
}
