//! Who sends next: one stream of each organization at a time, and a batch at a time, so that no tenant's
//! backlog and no slow sink keeps the others waiting.

use palmares_domain::kernel::{OrganizationId, SiemStreamId};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{Semaphore, SemaphorePermit};

/// The streams of each organization that somebody sends for, in the order of their turns.
type Waiting = HashMap<OrganizationId, VecDeque<SiemStreamId>>;

/// The turns there are, and who waits for one.
pub(super) struct Turns {
    waiting: Mutex<Waiting>,
    free: Semaphore,
}

impl Turns {
    pub fn new(at_a_time: usize) -> Arc<Self> {
        Arc::new(Self { waiting: Mutex::default(), free: Semaphore::new(at_a_time) })
    }

    /// Puts streams in the lines of their organizations; answers the lines that nobody sends for yet.
    pub fn line_up(self: &Arc<Self>, due: impl IntoIterator<Item = (OrganizationId, SiemStreamId)>) -> Vec<Line> {
        let mut waiting = self.waiting();
        let mut lines = Vec::new();
        for (organization, stream) in due {
            let line = waiting.entry(organization).or_insert_with(|| {
                lines.push(Line { turns: self.clone(), organization, ended: false });
                VecDeque::new()
            });
            if !line.contains(&stream) {
                line.push_back(stream);
            }
        }
        lines
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // No holder can leave it half changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The streams of one organization. Dropped, whatever happened to its holder, it may be lined up again.
pub(super) struct Line {
    turns: Arc<Turns>,
    pub organization: OrganizationId,
    ended: bool,
}

impl Line {
    /// The next stream; none where the line has ended, and is nobody's from then on.
    pub fn next(&mut self) -> Option<SiemStreamId> {
        let mut waiting = self.turns.waiting();
        let next = waiting.get_mut(&self.organization).and_then(VecDeque::pop_front);
        if next.is_none() && !self.ended {
            self.ended = true;
            waiting.remove(&self.organization);
        }
        next
    }

    /// A turn, for one batch: behind everybody who waits for one already.
    pub async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.free.acquire().await.ok()
    }

    /// Puts a stream at the end of the line.
    pub fn again(&self, stream: SiemStreamId) {
        let mut waiting = self.turns.waiting();
        if let Some(line) = waiting.get_mut(&self.organization)
            && !line.contains(&stream)
        {
            line.push_back(stream);
        }
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if !self.ended {
            self.turns.waiting().remove(&self.organization);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use uuid::Uuid;

    const ACME: OrganizationId = OrganizationId(Uuid::from_u128(1));
    const OTHER: OrganizationId = OrganizationId(Uuid::from_u128(2));

    fn stream(number: u128) -> SiemStreamId {
        SiemStreamId(Uuid::from_u128(number))
    }

    #[test]
    fn an_organization_has_one_line_with_each_stream_once() {
        let turns = Turns::new(4);
        let mut lines = turns.line_up([(ACME, stream(1)), (OTHER, stream(2)), (ACME, stream(3)), (ACME, stream(1))]);
        assert_eq!(lines.iter().map(|line| line.organization).collect::<Vec<_>>(), [ACME, OTHER]);
        assert!(turns.line_up([(ACME, stream(1)), (ACME, stream(4))]).is_empty(), "somebody sends for it");
        let acme = &mut lines[0];
        assert_eq!(acme.next(), Some(stream(1)));
        acme.again(stream(1));
        let rest: Vec<_> = std::iter::from_fn(|| acme.next()).collect();
        assert_eq!(rest, [stream(3), stream(4), stream(1)], "a stream that has more waits for the others");
        let again = turns.line_up([(ACME, stream(1))]);
        assert_eq!(again.len(), 1, "a line that ended is nobody's");
        drop(lines);
        assert!(turns.line_up([(ACME, stream(1))]).is_empty(), "one that ended takes no other with it");
    }

    #[tokio::test]
    async fn who_breaks_down_leaves_the_line_to_others() {
        let turns = Turns::new(4);
        let mut line = turns.line_up([(ACME, stream(1)), (ACME, stream(2))]).remove(0);
        let broken = tokio::spawn(async move {
            let _turn = line.turn().await;
            panic!("{:?} cannot be sent", line.organization);
        });
        assert!(broken.await.is_err());
        line = turns.line_up([(ACME, stream(1))]).remove(0);
        assert_eq!(line.next(), Some(stream(1)));
        assert_eq!(turns.free.available_permits(), 4);
    }

    #[tokio::test]
    async fn a_backlog_without_end_keeps_nobody_waiting() {
        let turns = Turns::new(1);
        let mut lines = turns.line_up([(ACME, stream(1)), (OTHER, stream(2))]);
        let (mut other, mut busy) = (lines.remove(1), lines.remove(0));
        let endless = tokio::spawn(async move {
            while let Some(stream) = busy.next() {
                let turn = busy.turn().await;
                tokio::task::yield_now().await;
                drop(turn);
                busy.again(stream);
            }
        });
        tokio::task::yield_now().await;
        assert_eq!(other.next(), Some(stream(2)));
        let turn = tokio::time::timeout(Duration::from_secs(5), other.turn()).await;
        assert!(turn.is_ok_and(|turn| turn.is_some()));
        endless.abort();
    }
}
