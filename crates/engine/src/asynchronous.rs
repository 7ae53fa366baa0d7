//! How does a task use the engine, in any runtime or none?

use crate::client::Client;
use crate::error::EngineError;
use crate::exchange::Exchange;
use crate::native::Reply;
use crate::pipeline::Pipeline;
use hectare_store::Command;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A [`Client`] whose calls are futures. See [`Client::asynchronous`].
///
/// A call does nothing until it is polled. If nobody is in its shard then, it is run in place and
/// ready at once; else it is sent, and whoever answers it wakes the task. That happens on a shard's
/// thread or another caller's, so a waker must do no more than wakers do: mark a task to be run.
///
/// ```
/// use hectare_engine::Engine;
/// # fn block_on<F: Future>(future: F) -> F::Output {
/// #     let mut future = std::pin::pin!(future);
/// #     let mut context = std::task::Context::from_waker(std::task::Waker::noop());
/// #     loop {
/// #         if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut context) {
/// #             return output;
/// #         }
/// #     }
/// # }
///
/// let engine = Engine::builder().build()?;
/// let client = engine.client().asynchronous();
/// block_on(async {
///     client.hset("user:1", [("name", "Ada")]).await?;
///     assert_eq!(client.hget("user:1", "name").await?.as_deref(), Some(b"Ada".as_slice()));
///     Ok::<_, hectare_engine::EngineError>(())
/// })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct AsyncClient {
    client: Client,
}

/// The answer to a call of an [`AsyncClient`].
#[must_use = "a future does nothing until it is polled"]
#[derive(Debug)]
pub struct Pending<R> {
    client: Client,
    state: State,
    read: fn(Reply<'_>) -> R,
}

#[derive(Debug)]
enum State {
    /// Not to be sent at all.
    Refused(EngineError),
    /// One key: its shard.
    One { shard: usize, exchange: Exchange },
    /// Any number.
    Many { pipeline: Box<Pipeline>, is_submitted: bool },
    /// The answer was given.
    Over,
}

impl AsyncClient {
    pub(crate) fn new(client: Client) -> Self {
        Self { client }
    }

    pub(crate) fn call<R>(
        &self,
        command: &'static Command,
        args: &[&[u8]],
        read: fn(Reply<'_>) -> R,
    ) -> Pending<R> {
        let (shard, hash) = self.client.place(args[0]);
        let mut exchange = self.client.take_exchange();
        let pushed = command
            .check_arguments(args.len())
            .and_then(|()| exchange.batch().push(command, self.client.database(), hash, args));
        let state = match pushed {
            Ok(_) => State::One { shard, exchange },
            Err(error) => State::Refused(error.into()),
        };
        Pending { client: self.client.clone(), state, read }
    }

    pub(crate) fn call_anywhere<R>(
        &self,
        command: &'static Command,
        args: &[&[u8]],
        read: fn(Reply<'_>) -> R,
    ) -> Pending<R> {
        let mut pipeline = self.client.pipeline();
        let state = match pipeline.push(command, args) {
            Ok(()) => State::Many { pipeline: Box::new(pipeline), is_submitted: false },
            Err(error) => State::Refused(error.into()),
        };
        Pending { client: self.client.clone(), state, read }
    }
}

impl<R> Pending<R> {
    fn read(&self, reply: &[u8]) -> Result<R, EngineError> {
        match Reply::read(reply) {
            Reply::Error(text) => Err(EngineError::Failed(text.to_owned())),
            reply => Ok((self.read)(reply)),
        }
    }
}

impl<R> Future for Pending<R> {
    type Output = Result<R, EngineError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let pending = &mut *self;
        match std::mem::replace(&mut pending.state, State::Over) {
            State::Refused(error) => Poll::Ready(Err(error)),
            State::One { shard, mut exchange } => {
                match exchange.poll_from_the_start(shard, pending.client.way(shard), context) {
                    Poll::Pending => {
                        pending.state = State::One { shard, exchange };
                        Poll::Pending
                    }
                    Poll::Ready(outcome) => {
                        let answer =
                            outcome.and_then(|()| pending.read(exchange.returned().replies.get(0)));
                        pending.client.leave_exchange(exchange);
                        Poll::Ready(answer)
                    }
                }
            }
            State::Many { mut pipeline, is_submitted } => {
                if !is_submitted && let Err(error) = pipeline.submit_without_waiting() {
                    return Poll::Ready(Err(error));
                }
                let polled = match pipeline.poll(context.waker()) {
                    Poll::Pending => None,
                    Poll::Ready(Ok(replies)) => Some(pending.read(replies.bytes(0))),
                    Poll::Ready(Err(error)) => Some(Err(error)),
                };
                match polled {
                    Some(answer) => Poll::Ready(answer),
                    None => {
                        pending.state = State::Many { pipeline, is_submitted: true };
                        Poll::Pending
                    }
                }
            }
            State::Over => panic!("a future is not polled after it was ready"),
        }
    }
}
