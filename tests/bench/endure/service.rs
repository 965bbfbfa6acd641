//! The service as a process: started, heard, killed.

use std::{
    env, fs,
    os::unix::net::UnixDatagram,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

/// As the first argument of this program: be the one that is measured, with the arguments that follow.
pub(crate) const PROGRAM: &str = "autodiscover-audit";

/// Where the service is started, and a service manager's ear.
pub(crate) struct Place {
    folder: PathBuf,
    config: PathBuf,
    heard: mpsc::Receiver<String>,
    child: Option<Child>,
}

impl Place {
    pub(crate) fn new(folder: &Path, config: &Path) -> Self {
        let ear = UnixDatagram::bind(folder.join("notify")).unwrap();
        let (sender, heard) = mpsc::channel();
        // whoever speaks to a service manager waits until it has listened
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(length) = ear.recv(&mut bytes) {
                if sender.send(String::from_utf8_lossy(&bytes[..length]).into_owned()).is_err() {
                    return;
                }
            }
        });
        Self { folder: folder.to_owned(), config: config.to_owned(), heard, child: None }
    }

    /// The program with these arguments and the configuration.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let log = fs::File::options().create(true).append(true).open(self.log()).unwrap();
        let mut command = Command::new(env::current_exe().unwrap());
        command.arg(PROGRAM).args(arguments).arg("--config").arg(&self.config);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        command
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    pub(crate) fn start(&mut self) {
        while self.heard.try_recv().is_ok() {}
        let mut command = self.command(&["serve"]);
        command.env("NOTIFY_SOCKET", self.folder.join("notify")).env("WATCHDOG_USEC", "600000");
        self.child = Some(command.spawn().unwrap());
    }

    /// Waits until the service says something; `false`: not in time.
    pub(crate) fn hears(&self, words: &str, at_most: Duration) -> bool {
        let until = Instant::now() + at_most;
        while let Ok(message) = self.heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
            if message.contains(words) {
                return true;
            }
        }
        false
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// With the signal that nothing can catch; `false`: it had ended by itself.
    pub(crate) fn kill(&mut self) -> bool {
        let mut child = self.child.take().unwrap();
        let is_alive = child.try_wait().unwrap().is_none();
        child.kill().unwrap();
        child.wait().unwrap();
        is_alive
    }

    /// Has it read its configuration anew, and waits until it has.
    pub(crate) fn reload(&self) {
        self.signal("-HUP");
        assert!(self.hears("READY=1", Duration::from_mins(1)), "it does not reload");
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.id().to_string()]).status().unwrap().success());
    }

    /// Has it end in order; `false`: it failed.
    pub(crate) fn stop(&mut self) -> bool {
        self.signal("-TERM");
        self.child.take().unwrap().wait().unwrap().success()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}
