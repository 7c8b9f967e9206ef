//! From a step to a call: what a step means on the board that it meets.

use kanban_core::Status;

mod around;
mod ask;
pub(super) mod crowd;
mod hold;
mod keep;
mod life;
mod work;

use super::call::Call;
use super::dice::Dice;
use super::step::Op;

/// Statuses in which a claim is possible.
const CLAIMABLE: &[Status] = &[Status::Ready, Status::Review];

/// The call of a step that is one.
pub(super) fn call(op: Op, dice: &mut Dice<'_>) -> Option<Call> {
    Some(match op {
        Op::Create => Call::Create(life::new(dice)),
        Op::CreateMany => Call::CreateMany(life::many(dice)),
        Op::Update => Call::Update(life::update(dice)),
        Op::Assign => Call::Assign(life::assign(dice)),
        Op::Link => Call::Link(life::link(dice)),
        Op::Unlink => Call::Unlink(life::unlink(dice)),
        Op::Claim => Call::Claim(work::claim(dice)),
        Op::ClaimNext => Call::ClaimNext(work::claim_next(dice)),
        Op::Heartbeat => Call::Heartbeat(work::heartbeat(dice)),
        Op::SetWorker => Call::SetWorker(work::set_worker(dice)),
        Op::ReclaimExpired => Call::ReclaimExpired(work::reclaim(dice)),
        Op::WakeDue => Call::WakeDue(work::wake(dice)),
        Op::Complete => Call::Complete(work::complete(dice)),
        Op::Fail => Call::Fail(work::fail(dice)),
        Op::Release => Call::Release(work::release(dice)),
        Op::Pause => Call::Pause(hold::pause(dice)),
        Op::Resume => Call::Resume(hold::resume(dice)),
        Op::Block => Call::Block(hold::block(dice)),
        Op::Unblock => Call::Unblock(hold::unblock(dice)),
        Op::Promote => Call::Promote(hold::promote(dice)),
        Op::Schedule => Call::Schedule(hold::schedule(dice)),
        Op::RequestReview => Call::RequestReview(hold::request_review(dice)),
        Op::RequestChanges => Call::RequestChanges(hold::request_changes(dice)),
        Op::Reopen => Call::Reopen(life::reopen(dice)),
        Op::Specify => Call::Specify(life::specify(dice)),
        Op::Decompose => Call::Decompose(life::decompose(dice)),
        Op::Archive => Call::Archive(life::archive(dice)),
        Op::Restore => Call::Restore(life::restore(dice)),
        Op::Delete => Call::Delete(life::delete(dice)),
        Op::Comment => Call::Comment(around::comment(dice)),
        Op::Attach => Call::Attach(around::attach(dice)),
        Op::Detach => Call::Detach(around::detach(dice)),
        Op::Subscribe => Call::Subscribe(around::subscribe(dice)),
        Op::Unsubscribe => Call::Unsubscribe(around::unsubscribe(dice)),
        Op::LeaseEvents => Call::LeaseEvents(around::lease(dice)),
        Op::Ack => Call::Ack(around::ack(dice)),
        Op::Nack => Call::Nack(around::nack(dice)),
        Op::PurgeSettled => Call::PurgeSettled(keep::purge(dice)),
        Op::SetPolicy => Call::SetPolicy(keep::policy(dice)),
        Op::Gc => Call::Gc(keep::collect(dice)),
        Op::ImportForeign => Call::ImportForeign(keep::foreign(dice)?),
        Op::ImportLines => keep::lines(dice)?,
        Op::Ask => ask::question(dice),
        Op::Again | Op::Tick | Op::Due | Op::Crowd | Op::Reopened | Op::Moved => return None,
    })
}
