//! Node processes: started, killed, frozen for a while, shut down.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use scheduler_tests::checker::Journal;

/// How long a node may take to shut down in order; it cancels its runs long before.
const PATIENCE: Duration = Duration::from_secs(60);

/// One process.
struct Node {
    name: String,
    child: Child,
    /// The instant until which it is frozen.
    frozen_until: Instant,
}

/// The nodes of one store. All of them end when this is dropped.
pub(crate) struct Fleet {
    url: String,
    folder: PathBuf,
    lease: Duration,
    nodes: Vec<Node>,
    started: usize,
    /// Nodes that were asked to shut down.
    ending: Vec<Node>,
    /// Processes that freeze and continue nodes.
    freezers: Vec<Child>,
    /// Violations of what no node may do.
    problems: Vec<String>,
}

impl Fleet {
    /// Creates a fleet without nodes, whose nodes write to this folder.
    pub(crate) fn new(url: &str, folder: &Path, lease: Duration) -> Self {
        Self {
            url: url.to_owned(),
            folder: folder.to_owned(),
            lease,
            nodes: Vec::new(),
            started: 0,
            ending: Vec::new(),
            freezers: Vec::new(),
            problems: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Starts a node.
    pub(crate) fn start(&mut self) {
        self.started += 1;
        let name = format!("node-{}", self.started);
        let file =
            |ending: &str| File::create(self.folder.join(format!("{name}.{ending}"))).unwrap();
        let child = Command::new(env!("CARGO_BIN_EXE_crash_node"))
            .arg(&self.url)
            .arg(self.folder.join(format!("{name}.journal")))
            .args([&name, &self.lease.as_millis().to_string()])
            .stdin(Stdio::piped())
            .stdout(file("out"))
            .stderr(file("log"))
            .env("RUST_BACKTRACE", "0")
            .spawn()
            .unwrap();
        self.nodes.push(Node {
            name,
            child,
            frozen_until: Instant::now(),
        });
    }

    /// Kills a node without warning.
    pub(crate) fn kill(&mut self, index: usize) {
        let mut node = self.nodes.remove(index);
        let ended = node.child.try_wait().unwrap();
        node.child.kill().unwrap();
        let status = node.child.wait().unwrap();
        if ended.is_some() {
            self.ended_by_itself(&node.name, status);
        }
    }

    /// Freezes a node for a while, as happens on a machine that is overloaded or migrated.
    pub(crate) fn freeze(&mut self, index: usize, time: Duration) {
        let node = &mut self.nodes[index];
        node.frozen_until = Instant::now() + time;
        // In a separate process, so that the node continues even if the test is gone.
        let freezer = Command::new("/bin/sh")
            .args(["-c", "kill -STOP $1; sleep $2; kill -CONT $1", "sh"])
            .arg(node.child.id().to_string())
            .arg(format!("{:.3}", time.as_secs_f64()))
            .stderr(Stdio::null())
            .spawn();
        self.freezers.push(freezer.unwrap());
    }

    /// Returns `true` if a node is currently frozen.
    pub(crate) fn is_frozen(&self, index: usize) -> bool {
        self.nodes[index].frozen_until > Instant::now()
    }

    /// Asks a node to shut down, without waiting for it.
    pub(crate) fn end(&mut self, index: usize) {
        let node = self.nodes.remove(index);
        let pid = node.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status();
        assert!(told.unwrap().success(), "{} is gone", node.name);
        self.ending.push(node);
    }

    /// Notes nodes that ended without having been asked to.
    pub(crate) fn look(&mut self) {
        let mut ended = Vec::new();
        self.nodes.retain_mut(|node| match node.child.try_wait() {
            Ok(Some(status)) => {
                ended.push((node.name.clone(), status));
                false
            }
            _ => true,
        });
        for (name, status) in ended {
            self.ended_by_itself(&name, status);
        }
    }

    fn ended_by_itself(&mut self, name: &str, status: ExitStatus) {
        self.problems
            .push(format!("{name} ended by itself: {status}"));
    }

    /// Asks all nodes to shut down, and waits until they have ended.
    pub(crate) fn end_all(&mut self) {
        self.look();
        for mut freezer in self.freezers.drain(..) {
            freezer.wait().unwrap();
        }
        while !self.nodes.is_empty() {
            self.end(0);
        }
        let told = Instant::now();
        for mut node in std::mem::take(&mut self.ending) {
            let status = loop {
                if let Some(status) = node.child.try_wait().unwrap() {
                    break status;
                }
                if told.elapsed() > PATIENCE {
                    self.problems.push(format!("{} did not end", node.name));
                    node.child.kill().unwrap();
                    break node.child.wait().unwrap();
                }
                std::thread::sleep(Duration::from_millis(20));
            };
            if !status.success() {
                self.problems.push(format!(
                    "{} was told to end, and did so with {status}",
                    node.name
                ));
            }
        }
    }

    /// Returns how many nodes were started, and how many of them became ready.
    pub(crate) fn counts(&self) -> (usize, usize) {
        let ready = self.files("out").filter(|text| text.starts_with("READY"));
        (self.started, ready.count())
    }

    /// Returns everything that no node may do: exit on its own, or panic anywhere but in a task that is meant to
    /// panic.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = self.problems.clone();
        for log in self.files("log") {
            let panics = log.lines().filter(|line| line.contains("panicked at"));
            let ours = panics.filter(|line| !line.contains("crash_node/tasks.rs"));
            problems.extend(ours.map(|line| format!("a node's log says: {line}")));
        }
        problems
    }

    fn files(&self, ending: &str) -> impl Iterator<Item = String> {
        let name = move |number| format!("node-{number}.{ending}");
        (1..=self.started).map(move |number| {
            std::fs::read_to_string(self.folder.join(name(number))).unwrap_or_default()
        })
    }

    /// Returns what the bodies on all nodes wrote.
    pub(crate) fn journal(&self) -> Journal {
        let mut journal = Journal::default();
        for number in 1..=self.started {
            let path = self.folder.join(format!("node-{number}.journal"));
            if path.exists() {
                journal.read(&path).unwrap();
            }
        }
        journal
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        for mut node in self.nodes.drain(..).chain(self.ending.drain(..)) {
            let _ = node.child.kill();
            let _ = node.child.wait();
        }
        for freezer in &mut self.freezers {
            let _ = freezer.wait();
        }
    }
}
