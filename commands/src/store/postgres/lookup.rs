//! Looks rows up by their key, many callers in one round trip.

use crate::store::AppendError;
use futures::future::BoxFuture;
use std::collections::HashMap;
use std::hash::Hash;
use tokio::sync::{mpsc, oneshot};

/// Keys per round trip.
const LOOKUP_MAX: usize = 512;

type Answer<V> = Result<Option<V>, AppendError>;
type Found<K, V> = Result<HashMap<K, V>, sqlx::Error>;

/// A queue of keys that wait for the next round trip. Its query starts after they were asked for,
/// so a caller sees whatever was committed before it asked.
pub(super) struct Lookup<K, V> {
    queue: mpsc::UnboundedSender<(K, oneshot::Sender<Answer<V>>)>,
}

impl<K, V> Lookup<K, V>
where
    K: Copy + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
{
    pub fn start(find: impl Fn(Vec<K>) -> BoxFuture<'static, Found<K, V>> + Send + 'static) -> Self {
        let (queue, mut waiting) = mpsc::unbounded_channel::<(K, oneshot::Sender<Answer<V>>)>();
        tokio::spawn(async move {
            let mut batch = Vec::with_capacity(LOOKUP_MAX);
            while waiting.recv_many(&mut batch, LOOKUP_MAX).await > 0 {
                let found = find(batch.iter().map(|(key, _)| *key).collect()).await;
                for (key, waiter) in batch.drain(..) {
                    let answer = match &found {
                        Ok(found) => Ok(found.get(&key).cloned()),
                        Err(error) => Err(super::unavailable(error)),
                    };
                    // A waiter that left does not need the answer.
                    let _ = waiter.send(answer);
                }
            }
        });
        Self { queue }
    }

    pub async fn get(&self, key: K) -> Answer<V> {
        let stopped = || AppendError::Unavailable("the look-up has stopped".into());
        let (waiter, answer) = oneshot::channel();
        self.queue.send((key, waiter)).map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())?
    }
}
