//! `prokura` as a process: a server that ends with its guard, and commands that run to their end.

use std::{
    ffi::OsStr,
    fs,
    io::{self, BufRead as _, BufReader, PipeReader, PipeWriter, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::{Duration, Instant},
};

use serde_json::json;

use super::{Client, Credentials};

/// How long anything may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(60);
const READY: &str = "prokura is serving on ";

/// A `prokura` command in `directory`, without any `PROKURA_` variable.
pub(crate) fn prokura<A: AsRef<OsStr>>(
    directory: &Path,
    arguments: impl IntoIterator<Item = A>,
) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prokura"));
    for (name, _) in std::env::vars_os() {
        if name.as_encoded_bytes().starts_with(b"PROKURA_") {
            command.env_remove(name);
        }
    }
    command
        .current_dir(directory)
        .args(arguments)
        .stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn run<A: AsRef<OsStr>>(
    directory: &Path,
    arguments: impl IntoIterator<Item = A>,
) -> Finished {
    Finished::of(
        prokura(directory, arguments)
            .output()
            .expect("prokura starts"),
    )
}

/// A finished command.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Finished {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    /// The standard output. The command must have succeeded.
    pub(crate) fn succeeded(self) -> String {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self.stdout
    }

    /// The `error:` line and, if there is one, the `hint:` line. The command must have failed with `code`.
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:#?}");
        let lines = self.stderr.lines();
        let lines = lines.filter(|line| line.starts_with("error: ") || line.starts_with("hint: "));
        let lines = lines.collect::<Vec<_>>();
        let (error, hint) = lines.split_first().expect("there is an error line");
        assert!(error.starts_with("error: "), "{self:#?}");
        assert!(
            hint.len() <= 1 && hint.iter().all(|line| line.starts_with("hint: ")),
            "{self:#?}"
        );
        lines.join("\n")
    }
}

/// A running `prokura serve`. It is killed when dropped.
pub(crate) struct Prokura {
    child: Child,
    stdout: Captured,
    stderr: Captured,
    /// The working directory. The data directory is `prokura-data` in it unless the arguments say otherwise.
    pub(crate) directory: PathBuf,
    /// The URL of the ready line.
    pub(crate) url: String,
}

impl Prokura {
    /// Starts a server in `directory` on a free port and waits until it is ready.
    pub(crate) fn serve(directory: &Path) -> Self {
        Self::serve_with(directory, &[])
    }

    /// The same, with further arguments.
    pub(crate) fn serve_with(directory: &Path, arguments: &[&str]) -> Self {
        let (reader, writer) = io::pipe().expect("there are pipes");
        Self::serve_logging_to(directory, arguments, writer, Captured::new(reader))
    }

    /// The same, with standard error in a pipe that nobody reads.
    pub(crate) fn serve_unread(directory: &Path, arguments: &[&str]) -> (Self, PipeReader) {
        let (reader, writer) = io::pipe().expect("there are pipes");
        let nothing = Captured::new(io::empty());
        let server = Self::serve_logging_to(directory, arguments, writer, nothing);
        (server, reader)
    }

    fn serve_logging_to(
        directory: &Path,
        arguments: &[&str],
        log: PipeWriter,
        stderr: Captured,
    ) -> Self {
        let arguments = ["serve", "--listen", "127.0.0.1:0"].iter().chain(arguments);
        let mut child = prokura(directory, arguments)
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("prokura starts");
        let stdout = Captured::new(child.stdout.take().expect("standard output is piped"));
        let mut server = Self {
            child,
            stdout,
            stderr,
            directory: directory.to_owned(),
            url: String::new(),
        };
        let ready = server.stdout.line_that(|line| line.starts_with(READY));
        let Some(ready) = ready else {
            panic!(
                "prokura is not ready: {}{}",
                server.stdout(),
                server.stderr()
            );
        };
        server.url = ready
            .strip_prefix(READY)
            .expect("the ready line begins so")
            .to_owned();
        server
    }

    /// The account in `bootstrap.json`.
    pub fn root(&self) -> Credentials {
        let text =
            fs::read_to_string(self.data("bootstrap.json")).expect("bootstrap.json is there");
        let json: serde_json::Value = serde_json::from_str(&text).expect("bootstrap.json is JSON");
        let member = |name: &str| json[name].as_str().expect("it has all members").to_owned();
        Credentials {
            id: member("serviceAccountId"),
            client_id: member("clientId"),
            client_secret: member("clientSecret"),
        }
    }

    /// A client of this server.
    pub fn client(&self) -> Client {
        Client::new(self.url.clone())
    }

    /// Fills the audit trail so that an export fails after its first chunk: an event after it cannot be read.
    pub(crate) async fn break_export(&self, token: &str) {
        let client = self.client();
        for _ in 0..230 {
            client.create(token, json!({ "name": "CI" })).await;
        }
        let spoil = "UPDATE audit_events SET target = CAST(x'ff' AS TEXT) WHERE sequence = 220";
        rusqlite::Connection::open(self.data("prokura.db"))
            .and_then(|connection| connection.execute_batch(spoil))
            .expect("the database can be changed");
    }

    /// A path in the data directory.
    pub(crate) fn data(&self, name: &str) -> PathBuf {
        self.directory.join("prokura-data").join(name)
    }

    /// Everything on standard output so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// Everything on standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Waits for a log line that contains `text`.
    pub(crate) fn logged(&self, text: &str) -> String {
        let line = self.stderr.line_that(|line| line.contains(text));
        line.unwrap_or_else(|| panic!("{text:?} is not in the log: {}", self.stderr()))
    }

    /// The id of the process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Stops the server with SIGTERM: everything on standard error.
    pub(crate) fn stop(&mut self) -> String {
        self.signal("TERM");
        self.wait();
        self.stderr.whole_text()
    }

    /// Sends a signal, for example `TERM`.
    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("sh")
            .args([
                "-c",
                "kill -s \"$0\" \"$1\"",
                signal,
                &self.child.id().to_string(),
            ])
            .status()
            .expect("sh starts");
        assert!(sent.success());
    }

    /// Waits until the process ends.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self
                .child
                .try_wait()
                .expect("the process can be waited for")
            {
                return status;
            }
            assert!(
                Instant::now() < deadline,
                "prokura does not end: {}",
                self.stderr()
            );
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// Kills the process, as a crash would.
    pub(crate) fn kill(&mut self) {
        // The process may have ended already.
        let _ = self.child.kill();
        self.child.wait().expect("the process can be waited for");
    }
}

impl Drop for Prokura {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A stream of a process, captured as it is written.
struct Captured(Arc<(Mutex<Capture>, Condvar)>);

#[derive(Default)]
struct Capture {
    text: String,
    ended: bool,
}

impl Captured {
    fn new(stream: impl Read + Send + 'static) -> Self {
        let shared = Arc::new((Mutex::new(Capture::default()), Condvar::new()));
        let captured = Self(Arc::clone(&shared));
        thread::spawn(move || {
            let (capture, changed) = &*shared;
            for line in BufReader::new(stream).lines().map_while(Result::ok) {
                let mut capture = capture.lock().unwrap();
                capture.text.push_str(&line);
                capture.text.push('\n');
                changed.notify_all();
            }
            capture.lock().unwrap().ended = true;
            changed.notify_all();
        });
        captured
    }

    fn text(&self) -> String {
        self.0.0.lock().unwrap().text.clone()
    }

    /// Waits for the end of the stream.
    fn whole_text(&self) -> String {
        let (capture, changed) = &*self.0;
        let (capture, _) = changed
            .wait_timeout_while(capture.lock().unwrap(), DEADLINE, |capture| !capture.ended)
            .unwrap();
        capture.text.clone()
    }

    /// Waits for a line for which `is_wanted` holds. `None`: the stream ended, or the time was up.
    fn line_that(&self, is_wanted: impl Fn(&str) -> bool) -> Option<String> {
        let find = |capture: &Capture| {
            capture
                .text
                .lines()
                .find(|line| is_wanted(line))
                .map(str::to_owned)
        };
        let (capture, changed) = &*self.0;
        let (capture, _) = changed
            .wait_timeout_while(capture.lock().unwrap(), DEADLINE, |capture| {
                !capture.ended && find(capture).is_none()
            })
            .unwrap();
        find(&capture)
    }
}

/// The sorted names of the files in a directory. Empty if the directory does not exist.
pub(crate) fn names_in(directory: &Path) -> Vec<String> {
    let mut names = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .map(|entry| {
            entry
                .expect("the directory can be read")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect::<Vec<_>>();
    names.sort();
    names
}
