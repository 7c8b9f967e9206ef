//! Every operation, once, each where it has its usual work to do.

mod claiming;
mod delivering;
mod ending;
mod making;
mod reading;

use super::stage::Stage;

/// Carries everything out.
pub(super) async fn walk(stage: &Stage) {
    making::walk(stage).await;
    claiming::walk(stage).await;
    claiming::walk_next(stage).await;
    ending::walk(stage).await;
    ending::walk_plans(stage).await;
    delivering::walk(stage).await;
    delivering::walk_upkeep(stage).await;
    reading::walk(stage).await;
}
