//! Writes of commands beside the server of a database file.
//!
//! The server of a SQLite file caches what it reads. A command such as `prokura organizations disable` writes to the same file from
//! another process, and its change must hold at the server when the command ends. So the command tells the server, over a socket
//! beside the file that only the owner of the file can open:
//!
//! ```text
//!   command                                server
//!   connect ──────────────────────────────► suspend the cache: each look-up reads the file
//!           ◄────────────────────── HELD ──
//!   commit
//!           ── COMMITTED ─────────────────► reload what is kept beside the cache
//!           ◄────────────────── CONFIRMED ──
//!   (any number of commits)
//!   close, or end in any way ─────────────► drop the cache, then use it again
//! ```
//!
//! A command that finds no server keeps the next one from starting until it has ended: it shares the lock that a server must have
//! alone.

use std::{
    fs::{self, File, TryLockError},
    io::{self, ErrorKind},
    os::{fd::AsRawFd as _, unix::fs::PermissionsExt as _},
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::{
    net::{UnixListener, UnixStream},
    time::{Instant, sleep, timeout},
};

use super::private_file::open_private_file;

/// Server to command: the cache is suspended.
const HELD: u8 = b'H';
/// Command to server: the write was committed.
const COMMITTED: u8 = b'C';
/// Server to command: every request is judged by the committed write.
const CONFIRMED: u8 = b'O';

/// How long a command waits for an answer of the server.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);
/// The pause between attempts to reach a server that is starting or stopping.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// Why a command cannot write beside the server, or does not know whether the server follows its write.
#[derive(Debug, thiserror::Error)]
pub enum CommandWriteError {
    /// The server holds the lock of the file and does not answer.
    #[error(
        "the server that uses the database does not answer: it hangs, or it is another version of Prokura"
    )]
    NoAnswer,
    /// The write is committed, but the server did not confirm that it follows it.
    #[error("the change is stored, but the running server did not confirm it: restart the server")]
    NotConfirmed,
    /// The operating system refused.
    #[error("cannot lock the database file")]
    Io(#[from] io::Error),
}

/// The server's side: the socket on which commands announce their writes.
pub struct CommandWrites {
    listener: UnixListener,
    path: PathBuf,
}

impl CommandWrites {
    /// Listens beside the file at `database`, whose only server this process is.
    pub(super) fn listen(database: &Path) -> io::Result<Self> {
        let path = socket_path(database);
        match fs::remove_file(&path) {
            // Left behind by a server that was killed.
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = with_short_path(&path, |path| UnixListener::bind(path))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        Ok(Self { listener, path })
    }

    /// The next command that wants to write.
    pub(in crate::store) async fn next(&self) -> CommandWrite {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => return CommandWrite(stream),
                // Out of file descriptors, or the command has gone.
                Err(_) => sleep(RETRY_PAUSE).await,
            }
        }
    }
}

impl Drop for CommandWrites {
    fn drop(&mut self) {
        // A file that stays is removed by the next server.
        let _ = fs::remove_file(&self.path);
    }
}

/// A command that writes, as the server sees it. The cache must be suspended until [`Self::serve`] returns.
pub(in crate::store) struct CommandWrite(UnixStream);

impl CommandWrite {
    /// Lets the command write, and returns when it has ended. `reload` runs after each of its commits, before it learns that the
    /// server follows. If `reload` fails, the connection ends instead.
    pub(in crate::store) async fn serve<'r>(self, reload: impl Fn() -> BoxFuture<'r, bool> + Sync) {
        let served = async {
            send(&self.0, HELD).await?;
            while let COMMITTED = receive(&self.0).await? {
                if !reload().await {
                    break;
                }
                send(&self.0, CONFIRMED).await?;
            }
            io::Result::Ok(())
        };
        // The command has closed the connection or was killed, perhaps between its commit and the message.
        let _ = served.await;
        reload().await;
    }
}

/// The command's side: the right to write, until it is dropped.
pub(super) enum WritePermit {
    /// The server has suspended its cache, until the connection closes.
    FromServer(UnixStream),
    /// There is no server, and none starts as long as the lock file is open.
    NoServer(#[expect(dead_code, reason = "holds the lock")] File),
}

impl WritePermit {
    /// Waits until the server of the file at `database` permits writes, or until it is certain that there is none.
    pub(super) async fn obtain(database: &Path) -> Result<Self, CommandWriteError> {
        let deadline = Instant::now() + ANSWER_TIMEOUT;
        let socket = socket_path(database);
        loop {
            if let Some(lock) = try_share_lock(database)? {
                return Ok(Self::NoServer(lock));
            }
            let answer = async {
                let stream = connect(&socket)?;
                receive(&stream).await.map(|byte| (stream, byte))
            };
            let left = deadline.saturating_duration_since(Instant::now());
            if let Ok(Ok((stream, HELD))) = timeout(left, answer).await {
                return Ok(Self::FromServer(stream));
            }
            if Instant::now() >= deadline {
                return Err(CommandWriteError::NoAnswer);
            }
            sleep(RETRY_PAUSE).await;
        }
    }

    /// Tells the server that a write is committed, and waits until it follows.
    pub(super) async fn confirm_commit(
        &mut self,
        database: &Path,
    ) -> Result<(), CommandWriteError> {
        if self.is_confirmed().await {
            return Ok(());
        }
        // The server has stopped. Another one may have started and read before the commit; it must follow.
        *self = Self::obtain(database)
            .await
            .map_err(|_| CommandWriteError::NotConfirmed)?;
        if self.is_confirmed().await {
            Ok(())
        } else {
            Err(CommandWriteError::NotConfirmed)
        }
    }

    async fn is_confirmed(&self) -> bool {
        let Self::FromServer(stream) = self else {
            return true;
        };
        let answer = async {
            send(stream, COMMITTED).await?;
            receive(stream).await
        };
        matches!(timeout(ANSWER_TIMEOUT, answer).await, Ok(Ok(CONFIRMED)))
    }
}

/// The lock file of a server, shared by commands that write while there is no server. `None`: there is a server.
fn try_share_lock(database: &Path) -> io::Result<Option<File>> {
    let lock = lock_file(database)?;
    match lock.try_lock_shared() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The file beside a database that its server locks, and that commands share.
pub(super) fn lock_file(database: &Path) -> io::Result<File> {
    open_private_file(&beside(database, ".lock"))
}

fn socket_path(database: &Path) -> PathBuf {
    beside(database, ".commands")
}

fn beside(database: &Path, suffix: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(suffix);
    path.into()
}

fn connect(socket: &Path) -> io::Result<UnixStream> {
    // A connection to a Unix socket is there at once or not at all.
    let stream = with_short_path(socket, |path| std::os::unix::net::UnixStream::connect(path))?;
    stream.set_nonblocking(true)?;
    UnixStream::from_std(stream)
}

/// Calls `open` with a path to `socket` that fits into a socket address, which has space for some 100 bytes: if need be, through
/// the open directory.
fn with_short_path<T>(socket: &Path, open: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    const LONGEST: usize = 100;
    match (socket.parent(), socket.file_name()) {
        (Some(directory), Some(name)) if socket.as_os_str().len() > LONGEST => {
            let directory = File::open(directory)?;
            let through = format!("/proc/self/fd/{}", directory.as_raw_fd());
            open(&Path::new(&through).join(name))
        }
        _ => open(socket),
    }
}

async fn send(stream: &UnixStream, byte: u8) -> io::Result<()> {
    loop {
        stream.writable().await?;
        match stream.try_write(&[byte]) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            outcome => return outcome.map(drop),
        }
    }
}

/// The next byte. An error if the other side has closed the connection.
async fn receive(stream: &UnixStream) -> io::Result<u8> {
    let mut byte = [0];
    loop {
        stream.readable().await?;
        match stream.try_read(&mut byte) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(_) => return Ok(byte[0]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}
