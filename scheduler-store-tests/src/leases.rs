//! Nodes, their leases, and what happens to the runs of dead nodes.

use scheduler_core::plan::Verdict;
use scheduler_core::store::{CancelAnswer, ManualRequest, RunRef, StoreError, TakenOver};
use scheduler_core::{NodeId, RunId, RunKind, RunState};

use crate::failure::{Done, Stop, ensure, ensure_eq};
use crate::stage::{
    Ask, Stage, Worker, at, body_goes_on, ended, job, seconds, succeeded, to_retry,
};

/// Returns a node that is to die and one that stays.
async fn two(stage: &Stage) -> Done<(Worker, Worker)> {
    stage.needs_leases()?;
    Ok((stage.node(1).await?, stage.node(2).await?))
}

fn must_be_fenced<T: std::fmt::Debug>(call: &str, answer: Result<T, StoreError>) -> Done {
    match answer {
        Err(error) if error.is_fenced() => Ok(()),
        other => Err(Stop::failed(format_args!(
            "{call} of a node without a lease was answered with {other:?}"
        ))),
    }
}

async fn take_over(node: &Worker, minute: i64) -> Done<TakenOver> {
    let mut taken = node.cluster()?.take_over(at(minute)).await?;
    taken.again.sort();
    taken.lost.sort();
    Ok(taken)
}

pub(crate) async fn a_node_joins_and_is_listed(stage: &Stage) -> Done {
    let (node, other) = two(stage).await?;
    // A lost answer makes a node join again.
    stage.node(1).await?;
    stage.add(job("job")).await?;
    let run = node.claim_one(at(1)).await?;
    let heartbeat = node.cluster()?.heartbeat(node.node).await?;
    ensure!(
        heartbeat.is_alive && !heartbeat.has_lost,
        "a heartbeat was answered with {heartbeat:?}"
    );
    let nodes = stage.cluster()?.list_nodes().await?;
    let found = |id: NodeId| nodes.iter().find(|node| node.id == id);
    let (Some(first), Some(second)) = (found(node.node), found(other.node)) else {
        return Err(Stop::failed(format_args!("the nodes are {nodes:?}")));
    };
    ensure_eq!(nodes.len(), 2, "nodes");
    ensure_eq!(
        (&*first.name, &*first.version),
        ("node 1", "1.0"),
        "name and version"
    );
    ensure!(first.is_alive && second.is_alive, "they are {nodes:?}");
    ensure_eq!(
        (first.running, second.running),
        (1, 0),
        "the runs that they hold"
    );
    ensure!(
        first.heartbeat_at >= first.started_at,
        "it was heard of before it joined: {first:?}"
    );
    ensure!(
        node.finish_one(succeeded(&run, at(2))).await?,
        "its end was not recorded"
    );
    stage.expire(&node, &[&other]).await?;
    let nodes = stage.cluster()?.list_nodes().await?;
    ensure_eq!(
        nodes.first().map(|node| node.id),
        Some(other.node),
        "the node that is alive, first"
    );
    let gone = nodes.iter().find(|one| one.id == node.node);
    ensure!(
        gone.is_none_or(|gone| !gone.is_alive),
        "a node that is gone is alive: {gone:?}"
    );
    Ok(())
}

pub(crate) async fn a_node_whose_lease_ran_out_is_fenced(stage: &Stage) -> Done {
    let (node, other) = two(stage).await?;
    stage.add(job("job")).await?;
    let run = node.claim_one(at(1)).await?;
    stage.add(job("beside").added(at(1))).await?;
    stage.expire(&node, &[&other]).await?;
    let before = (stage.job("job").await?, stage.run(run.run_id).await?);
    must_be_fenced("claim", node.try_claim(at(2), &Ask::default()).await)?;
    let end = vec![succeeded(&run, at(2))];
    must_be_fenced("finish", node.store.finish(node.node, end).await)?;
    let run_id = RunId::from_u128(7);
    let request = ManualRequest::new("beside", RunKind::Manual, run_id, at(2)).holder(node.node);
    must_be_fenced("run_now", node.store.run_now(&request).await)?;
    let after = (stage.job("job").await?, stage.run(run.run_id).await?);
    ensure_eq!(
        after,
        before,
        "job and run after calls of a node without a lease"
    );
    ensure!(
        stage.store().get_run(RunId::from_u128(7)).await?.is_none(),
        "a refused run was written"
    );
    // Any node may start a run that a client requests.
    let (soon, _) = node.run_soon("beside", at(2)).await?;
    let claim = other.claim(at(2)).await?;
    ensure!(
        claim.runs.iter().any(|run| run.run_id == soon),
        "the manual run was not claimed"
    );
    // Under another identity it can join again.
    let back = stage.node(3).await?;
    back.heartbeat().await?;
    Ok(())
}

// One function, since it follows one run from its first claim to its end: every step needs the state that the step
// before it left.
pub(crate) async fn a_lost_run_is_tried_again_as_the_next_attempt(stage: &Stage) -> Done {
    let (node, other) = two(stage).await?;
    stage.add(job("job").trigger("every 1h")).await?;
    let run = node.claim_one(at(60)).await?;
    ensure!(
        !other.heartbeat().await?,
        "runs are lost while their node is alive"
    );
    let none = take_over(&other, 61).await?;
    ensure_eq!(
        none,
        TakenOver::default(),
        "what is taken over from a node that is alive"
    );
    stage.expire(&node, &[&other]).await?;
    ensure!(
        other.heartbeat().await?,
        "a heartbeat does not tell of runs that are lost"
    );
    ensure_eq!(
        stage.run(run.run_id).await?.state,
        RunState::Running,
        "the state until it is taken over"
    );
    let taken = take_over(&other, 62).await?;
    ensure_eq!(
        taken.again,
        [RunRef::new(run.job_id.clone(), run.run_id)],
        "what is tried again"
    );
    ensure!(taken.lost.is_empty(), "what is lost: {:?}", taken.lost);
    ensure!(
        !other.heartbeat().await?,
        "a heartbeat still tells of runs that are lost"
    );
    let none = take_over(&other, 62).await?;
    ensure_eq!(none, TakenOver::default(), "what is taken over twice");

    let stored = stage.run(run.run_id).await?;
    ensure_eq!(
        (stored.state, stored.attempt),
        (RunState::Queued, 1),
        "while it waits"
    );
    let again = other.claim_one(at(63)).await?;
    ensure_eq!(again.run_id, run.run_id, "the run that is claimed again");
    ensure_eq!(
        (again.attempt, again.failures),
        (2, 0),
        "its attempt and failures"
    );
    ensure_eq!(again.scheduled_for, at(60), "its fire time");
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(stored.earlier_attempts.len(), 1, "earlier attempts");
    let first = &stored.earlier_attempts[0];
    ensure_eq!(
        (first.attempt, first.state),
        (1, RunState::Lost),
        "the attempt that was lost"
    );
    // The node that lost the run cannot end it.
    let heartbeat = node.cluster()?.heartbeat(node.node).await?;
    ensure!(!heartbeat.is_alive, "a node that was taken over is alive");
    let late = node
        .store
        .finish(node.node, vec![succeeded(&run, at(64))])
        .await;
    must_be_fenced("finish", late)?;
    ensure!(
        other.finish_one(succeeded(&again, at(65))).await?,
        "its end was not recorded"
    );
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(
        (stored.state, stored.attempt),
        (RunState::Succeeded, 2),
        "how it ended"
    );
    Ok(())
}

pub(crate) async fn a_run_is_lost_three_times_and_no_more(stage: &Stage) -> Done {
    let (mut node, other) = two(stage).await?;
    stage
        .add(
            job("job")
                .trigger("every 1h")
                .policies(|own| own.retries = 9),
        )
        .await?;
    let mut run = node.claim_one(at(60)).await?;
    // A failure has its own budget.
    ensure!(
        node.finish_one(to_retry(&run, at(60))).await?,
        "it was not recorded"
    );
    run.attempt = 2;
    for lost in 1..=4_u32 {
        stage.expire(&node, &[&other]).await?;
        let taken = take_over(&other, 61).await?;
        let expected = [RunRef::new(run.job_id.clone(), run.run_id)];
        if lost == 4 {
            ensure_eq!(taken.lost, expected, "what is lost the fourth time");
            break;
        }
        ensure_eq!(
            taken.again,
            expected,
            "what is tried again the time number {lost}"
        );
        node = stage.node(10 + u64::from(lost)).await?;
        run = node.claim_one(at(62)).await?;
        ensure_eq!(
            (run.attempt, run.failures),
            (lost + 2, 1),
            "its attempt and failures"
        );
    }
    let stored = stage.run(run.run_id).await?;
    ensure_eq!(
        (stored.state, stored.attempt),
        (RunState::Lost, 5),
        "how it ended"
    );
    ensure_eq!(stored.finished_at, Some(at(61)), "when it ended");
    let next = other.claim_one(at(120)).await?;
    ensure_eq!(
        next.scheduled_for,
        at(120),
        "the next fire time: the slot is free"
    );
    Ok(())
}

pub(crate) async fn a_run_that_may_not_be_tried_again_is_lost(stage: &Stage) -> Done {
    let (node, other) = two(stage).await?;
    stage
        .add(job("once").policies(|own| own.at_most_once = true))
        .await?;
    stage.add(job("removed")).await?;
    stage.add(job("cancelled")).await?;
    stage.add(job("timed out")).await?;
    let claim = node.claim(at(1)).await?;
    let run = |id: &str| {
        let run = claim.runs.iter().find(|run| run.job_id == id);
        run.ok_or_else(|| Stop::failed(format_args!("{id} was not claimed")))
    };
    stage.store().remove("removed", None, at(1)).await?;
    let answer = stage
        .store()
        .cancel(run("cancelled")?.run_id, at(1))
        .await?;
    ensure_eq!(
        answer,
        CancelAnswer::Live,
        "the answer to who asks it to stop"
    );
    let end = body_goes_on(run("timed out")?, at(1), Verdict::Final(RunState::TimedOut));
    ensure!(node.finish_one(end).await?, "it was not recorded");
    stage.expire(&node, &[&other]).await?;
    let taken = take_over(&other, 1).await?;
    ensure!(taken.again.is_empty(), "tried again: {:?}", taken.again);
    let lost: Vec<&str> = taken.lost.iter().map(|run| run.job_id.as_str()).collect();
    ensure_eq!(lost, ["once", "removed"], "what is lost");
    stage.ensure_cancelled(&taken.cancelled, &[(run("cancelled")?, 1)])?;
    for (id, state) in [
        ("once", RunState::Lost),
        ("removed", RunState::Lost),
        ("cancelled", RunState::Cancelled),
        ("timed out", RunState::TimedOut),
    ] {
        let stored = stage.run(run(id)?.run_id).await?;
        ensure_eq!(stored.state, state, "how the run of {id} ended");
        ensure_eq!(
            stored.finished_at,
            Some(at(1)),
            "when the run of {id} ended"
        );
    }
    ensure!(
        node.held().await?.is_empty(),
        "the node that is gone still holds something"
    );
    // Their slots are free.
    stage
        .add(
            job("removed")
                .added(at(1) + seconds(1))
                .trigger("every 59s"),
        )
        .await?;
    let claim = other.claim(at(2)).await?;
    ensure_eq!(claim.runs.len(), 4, "runs of the next fire times");
    Ok(())
}

pub(crate) async fn a_node_that_leaves_is_gone(stage: &Stage) -> Done {
    let (node, other) = two(stage).await?;
    stage.add(job("job")).await?;
    node.cluster()?.leave(node.node).await?;
    let nodes = stage.cluster()?.list_nodes().await?;
    let gone = nodes.iter().find(|one| one.id == node.node);
    ensure!(
        gone.is_none_or(|gone| !gone.is_alive),
        "a node that has left is alive: {gone:?}"
    );
    must_be_fenced("claim", node.try_claim(at(1), &Ask::default()).await)?;
    ensure!(
        !other.heartbeat().await?,
        "a node that has left has lost something"
    );
    other.claim_one(at(1)).await?;
    Ok(())
}

pub(crate) async fn a_node_that_leaves_runs_behind_keeps_its_lease(stage: &Stage) -> Done {
    let (node, other) = two(stage).await?;
    stage.add(job("job").trigger("every 1h")).await?;
    let run = node.claim_one(at(60)).await?;
    node.cluster()?.leave(node.node).await?;
    let taken = take_over(&other, 60).await?;
    ensure_eq!(
        taken,
        TakenOver::default(),
        "what is taken over before the lease has run out"
    );
    // A thread that cannot be stopped may still finish.
    let state = RunState::TimedOut;
    let end = ended(&run, at(61), Verdict::Final(state), state);
    let answer = node.store.finish(node.node, vec![end]).await?;
    ensure_eq!(answer, [true], "the end of a run that was left behind");
    let next = stage.node(3).await?;
    let run = next.claim_one(at(120)).await?;
    next.cluster()?.leave(next.node).await?;
    stage.expire(&next, &[&other]).await?;
    let taken = take_over(&other, 121).await?;
    ensure_eq!(
        taken.again,
        [RunRef::new(run.job_id, run.run_id)],
        "what is taken over afterwards"
    );
    Ok(())
}

pub(crate) async fn a_claim_and_a_take_over_keep_to_the_limit(stage: &Stage) -> Done {
    const JOBS: usize = 40;
    let (node, other) = two(stage).await?;
    let third = stage.second_node(3).await?;
    for number in 0..JOBS {
        stage.add(job(&format!("job {number}"))).await?;
    }
    let lost = node.claim(at(1)).await?;
    ensure_eq!(lost.runs.len(), JOBS, "claimed runs");
    stage.expire(&node, &[&other, &third]).await?;
    let (reaper, claimer) = (other.clone(), third.clone());
    let reaper = tokio::spawn(async move { take_over(&reaper, 2).await });
    let claimer = tokio::spawn(async move {
        let mut runs = Vec::new();
        for turn in 0..20 {
            runs.extend(claimer.claim(at(2) + seconds(turn)).await?.runs);
            tokio::task::yield_now().await;
        }
        Done::Ok(runs)
    });
    let (taken, mut claimed) = (reaper.await??, claimer.await??);
    let again = taken.again.len() + taken.lost.len();
    // After a lost answer, runs that were claimed again at once are not reported.
    ensure!(
        again == JOBS || stage.loses_answers(),
        "of {JOBS} runs, {again} were taken over"
    );
    claimed.extend(other.claim(at(2) + seconds(30)).await?.runs);
    for number in 0..JOBS {
        let id = format!("job {number}");
        let runs = stage.runs_of(&id).await?;
        let live = runs
            .iter()
            .filter(|run| run.state == RunState::Running)
            .count();
        ensure!(live <= 1, "{live} runs of {id} at once");
        let own = claimed
            .iter()
            .filter(|run| run.job_id == id.as_str())
            .count();
        ensure_eq!(own, live, "runs of {id} that a node was given");
    }
    Ok(())
}

pub(crate) async fn a_node_is_not_the_only_one_while_another_is_entered(stage: &Stage) -> Done {
    stage.needs_leases()?;
    let node = stage.node(1).await?;
    let is_only =
        async |node: &Worker| -> Done<bool> { Ok(node.cluster()?.is_only_node(node.node).await?) };
    // A store need not support this.
    let knows = is_only(&node).await?;
    let other = stage.node(2).await?;
    ensure!(
        !is_only(&node).await? && !is_only(&other).await?,
        "two nodes are entered"
    );
    other.cluster()?.leave(other.node).await?;
    ensure_eq!(is_only(&node).await?, knows, "once the other has left");
    ensure!(!is_only(&other).await?, "it has left itself");

    let gone = stage.node(3).await?;
    stage.expire(&gone, &[&node]).await?;
    ensure!(
        !is_only(&node).await?,
        "nobody has taken over yet what the other left"
    );
    take_over(&node, 1).await?;
    ensure_eq!(is_only(&node).await?, knows, "once that was taken over");
    Ok(())
}
