//! A connection that is kept: made when its sink starts, made anew whenever it breaks off, known to be up or down at any
//! time. What was under way when it broke off fails at once and is repeated by the outbox; nothing waits in a client's
//! own queue, where it would be sent behind the outbox's back.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::SinkError;

/// First pause after a connection could not be made; doubles.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Makes connections of one kind to one place.
pub trait Dial: Send + 'static {
    /// What deliveries use.
    type Line: Clone + Send + Sync + 'static;
    /// What keeps a connection going.
    type Hold: Send;

    /// Who is at the other end, for log lines.
    fn peer(&self) -> &str;
    /// Makes a connection; the error is a sentence for people.
    fn dial(&self) -> impl Future<Output = Result<(Self::Line, Self::Hold), String>> + Send;
    /// Lasts as long as the connection; says why it broke off.
    fn hold(&self, hold: Self::Hold) -> impl Future<Output = String> + Send;
}

/// One kept connection; it ends with this.
pub struct Link<D: Dial> {
    shared: Arc<Shared<D::Line>>,
    keeper: Mutex<Keeper<D>>,
}

struct Shared<L> {
    state: watch::Sender<State<L>>,
    /// Rung whenever a connection is made.
    made: Notify,
    /// Rung when an acknowledgement does not come: that connection is given up.
    unanswered: Notify,
}

enum State<L> {
    /// The first connection is being made.
    Trying,
    Up(L),
    Down(String),
}

enum Keeper<D> {
    Waits(D),
    Runs(JoinHandle<()>),
    None,
}

impl<D: Dial> Link<D> {
    /// Reaches nobody before it is started.
    pub fn new(dial: D) -> Self {
        let shared =
            Shared { state: watch::Sender::new(State::Trying), made: Notify::new(), unanswered: Notify::new() };
        Self { shared: Arc::new(shared), keeper: Mutex::new(Keeper::Waits(dial)) }
    }

    /// Begins to make the connection, on the current runtime.
    pub fn start(&self) {
        let mut keeper = self.keeper.lock().unwrap_or_else(PoisonError::into_inner);
        *keeper = match std::mem::replace(&mut *keeper, Keeper::None) {
            Keeper::Waits(dial) => Keeper::Runs(tokio::spawn(keep(dial, Arc::clone(&self.shared)))),
            runs => runs,
        };
    }

    /// Waits until the connection is made the next time.
    pub async fn made(&self) {
        self.shared.made.notified().await;
    }

    /// Does `work` on the connection. It fails when there is none, when it breaks off meanwhile, or after `patience`: the
    /// connection is then given up, since a client keeps a place for what may still be acknowledged, and has not many.
    pub async fn with<F>(&self, patience: Duration, work: impl FnOnce(D::Line) -> F) -> Result<(), SinkError>
    where
        F: Future<Output = Result<(), SinkError>>,
    {
        let mut state = self.shared.state.subscribe();
        let late = |what: &str| SinkError::later(format!("no {what} within {} s", patience.as_secs_f64()));
        let line = timeout(patience, line(&mut state)).await.map_err(|_| late("connection"))??;
        tokio::select! {
            done = timeout(patience, work(line)) => done.unwrap_or_else(|_| {
                self.shared.unanswered.notify_waiters();
                Err(late("acknowledgement"))
            }),
            reason = broken(&mut state) => Err(SinkError::later(reason)),
        }
    }
}

impl<D: Dial> Drop for Link<D> {
    fn drop(&mut self) {
        if let Keeper::Runs(task) = &*self.keeper.lock().unwrap_or_else(PoisonError::into_inner) {
            task.abort();
        }
    }
}

/// The connection, once it is known whether there is one.
async fn line<L: Clone>(state: &mut watch::Receiver<State<L>>) -> Result<L, SinkError> {
    loop {
        match &*state.borrow_and_update() {
            State::Up(line) => return Ok(line.clone()),
            State::Down(reason) => return Err(SinkError::later(reason.as_str())),
            State::Trying => {}
        }
        if state.changed().await.is_err() {
            return Err(SinkError::later("the connection is closed"));
        }
    }
}

/// Whatever comes after a connection is up, that one is gone.
async fn broken<L>(state: &mut watch::Receiver<State<L>>) -> String {
    match state.changed().await {
        Ok(()) => match &*state.borrow() {
            State::Down(reason) => reason.clone(),
            State::Up(_) | State::Trying => "the connection broke off".into(),
        },
        Err(_) => "the connection is closed".into(),
    }
}

async fn keep<D: Dial>(dial: D, shared: Arc<Shared<D::Line>>) {
    let mut failures = 0_u32;
    loop {
        let reason = match dial.dial().await {
            Ok((line, hold)) => {
                tracing::info!(peer = dial.peer(), "connected");
                failures = 0;
                shared.state.send_replace(State::Up(line));
                shared.made.notify_one();
                let reason = tokio::select! {
                    reason = dial.hold(hold) => reason,
                    () = shared.unanswered.notified() => "no acknowledgement came in time".into(),
                };
                tracing::warn!(peer = dial.peer(), reason, "the connection broke off");
                reason
            }
            Err(reason) => {
                if failures == 0 {
                    tracing::warn!(peer = dial.peer(), reason, "no connection; trying again");
                }
                reason
            }
        };
        shared.state.send_replace(State::Down(format!("{}: {reason}", dial.peer())));
        sleep(FIRST_PAUSE.saturating_mul(1 << failures.min(10)).min(LONGEST_PAUSE)).await;
        failures = failures.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::sync::mpsc;

    use tokio::sync::oneshot;

    use super::*;

    /// Each connection is what the test gives: an error, or one that lasts until the test ends it.
    struct Given(Mutex<mpsc::Receiver<Result<oneshot::Receiver<()>, String>>>);

    impl Dial for Given {
        type Line = ();
        type Hold = oneshot::Receiver<()>;

        fn peer(&self) -> &str {
            "peer"
        }

        async fn dial(&self) -> Result<((), Self::Hold), String> {
            loop {
                let next = self.0.lock().unwrap().try_recv();
                match next {
                    Ok(given) => return given.map(|hold| ((), hold)),
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        }

        async fn hold(&self, hold: Self::Hold) -> String {
            hold.await.ok();
            "it was cut".into()
        }
    }

    const LONG: Duration = Duration::from_secs(3600);

    async fn outcome(link: &Link<Given>, patience: Duration, end: bool) -> Result<(), String> {
        let work = |()| async move { if end { ready(Ok(())).await } else { pending().await } };
        link.with(patience, work).await.map_err(|e| e.to_string())
    }

    #[tokio::test]
    async fn what_is_under_way_fails_with_the_connection_and_goes_on_with_the_next() {
        let (give, given) = mpsc::channel();
        let link = Arc::new(Link::new(Given(Mutex::new(given))));
        link.start();
        give.send(Err("nobody there".into())).unwrap();
        let waiting = tokio::spawn({
            let link = Arc::clone(&link);
            async move { outcome(&link, LONG, true).await }
        });
        assert_eq!(waiting.await.unwrap(), Err("peer: nobody there".into()), "it waits for the first to be known");
        let (cut, hold) = oneshot::channel();
        give.send(Ok(hold)).unwrap();
        link.made().await;
        assert_eq!(outcome(&link, LONG, true).await, Ok(()));
        let under_way = tokio::spawn({
            let link = Arc::clone(&link);
            async move { outcome(&link, LONG, false).await }
        });
        tokio::task::yield_now().await;
        drop(cut);
        assert_eq!(under_way.await.unwrap(), Err("peer: it was cut".into()));
        let (_cut, hold) = oneshot::channel();
        give.send(Ok(hold)).unwrap();
        link.made().await;
        assert_eq!(outcome(&link, LONG, true).await, Ok(()));
    }

    #[tokio::test]
    async fn silence_is_told_from_absence() {
        let (give, given) = mpsc::channel();
        let link = Link::new(Given(Mutex::new(given)));
        let short = Duration::from_millis(20);
        assert_eq!(outcome(&link, short, true).await, Err("no connection within 0.02 s".into()));
        link.start();
        let (_cut, hold) = oneshot::channel();
        give.send(Ok(hold)).unwrap();
        link.made().await;
        assert_eq!(outcome(&link, short, false).await, Err("no acknowledgement within 0.02 s".into()));
        // A connection on which nothing is acknowledged is not kept.
        let (_cut, hold) = oneshot::channel();
        give.send(Ok(hold)).unwrap();
        link.made().await;
        assert_eq!(outcome(&link, LONG, true).await, Ok(()));
    }
}
