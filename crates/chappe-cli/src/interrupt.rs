//! Ctrl-C and SIGTERM; for who sits at a terminal, its end, too.

use std::future::Future;
use std::io;

use tokio::signal;

use crate::output::{Exit, Failure};

/// Listens for them from the moment it is made.
pub(crate) struct Interrupt {
    #[cfg(unix)]
    signals: [signal::unix::Signal; 2],
    /// SIGHUP. What runs under `nohup` must not hear it.
    #[cfg(unix)]
    hangup: Option<signal::unix::Signal>,
    #[cfg(windows)]
    ctrl_c: signal::windows::CtrlC,
}

impl Interrupt {
    pub(crate) fn listen() -> Result<Self, Failure> {
        Self::handlers(false).map_err(failure)
    }

    /// Listens for the end of the terminal, too: for what a person at it is led through, and what leaves
    /// something behind when it is killed.
    pub(crate) fn listen_at_a_terminal() -> Result<Self, Failure> {
        Self::handlers(true).map_err(failure)
    }

    #[cfg(unix)]
    fn handlers(terminal: bool) -> io::Result<Self> {
        use signal::unix::{SignalKind, signal};
        Ok(Self {
            signals: [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?],
            hangup: terminal.then(|| signal(SignalKind::hangup())).transpose()?,
        })
    }

    #[cfg(windows)]
    fn handlers(_: bool) -> io::Result<Self> {
        Ok(Self { ctrl_c: signal::windows::ctrl_c()? })
    }

    /// Returns when somebody asks the process to end, and says how.
    pub(crate) async fn wait(&mut self) -> Asked {
        #[cfg(unix)]
        {
            let [interrupt, terminate] = &mut self.signals;
            let hangup = async {
                match &mut self.hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = interrupt.recv() => Asked::CtrlC,
                _ = terminate.recv() => Asked::Terminate,
                _ = hangup => Asked::Terminate,
            }
        }
        #[cfg(windows)]
        {
            self.ctrl_c.recv().await;
            Asked::CtrlC
        }
    }
}

fn failure(error: io::Error) -> Failure {
    Failure::new(Exit::Other, format!("cannot listen for Ctrl-C: {error}"))
}

/// How somebody asked the process to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// By a key, which every process at the terminal is told.
    CtrlC,
    /// By SIGTERM, which nobody else is told, or by the end of the terminal.
    #[cfg(unix)]
    Terminate,
}

/// Runs `work` unless somebody interrupts it; `after` says what is known then.
pub(crate) fn unless_interrupted<T>(
    work: impl Future<Output = Result<T, Failure>>,
    after: &str,
) -> impl Future<Output = Result<T, Failure>> {
    unless_interrupted_at(work, move || after)
}

/// As [`unless_interrupted`], where what is known depends on how far the work has come.
pub(crate) async fn unless_interrupted_at<T, A: Into<String>>(
    work: impl Future<Output = Result<T, Failure>>,
    after: impl FnOnce() -> A,
) -> Result<T, Failure> {
    let mut interrupt = Interrupt::listen()?;
    let done = tokio::select! {
        done = work => done,
        _ = interrupt.wait() => Err(Failure::new(Exit::Interrupted, "interrupted")),
    };
    // Ctrl-C at a question is a key, and comes as the question's failure.
    done.map_err(|failure| match failure.exit {
        Exit::Interrupted => failure.hint(after()),
        _ => failure,
    })
}
