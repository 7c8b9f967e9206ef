//! Arguments of the commands that deliver events to those who asked for them.

use clap::Args;
use kanban_core::SubscriptionMode;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("scope").required(true))]
pub(crate) struct SubscribeArgs {
    /// The whole id of the task that is listened to
    #[arg(group = "scope")]
    pub(crate) id: Option<String>,
    /// All tasks, and the board itself
    #[arg(long, group = "scope")]
    pub(crate) all: bool,
    /// How the listener is reached, such as mail
    #[arg(long, value_name = "NAME")]
    pub(crate) channel: String,
    /// Where the listener is reached
    #[arg(long, value_name = "TEXT")]
    pub(crate) address: String,
    /// A place within the address
    #[arg(long, value_name = "TEXT")]
    pub(crate) thread: Option<String>,
    /// Only events of these kinds, separated by commas [default: all]
    #[arg(long = "kind", value_name = "KIND", value_delimiter = ',')]
    pub(crate) kinds: Vec<String>,
    /// A JSON object for whoever delivers
    #[arg(long, value_name = "JSON")]
    pub(crate) routing: Option<String>,
    /// What the events are for
    #[arg(long, default_value = "notify", value_parser = modes())]
    pub(crate) mode: String,
    /// Who subscribes
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct UnsubscribeArgs {
    /// The subscription's number
    pub(crate) subscription: u64,
    /// Who unsubscribes
    #[arg(long = "as", value_name = "NAME")]
    pub(crate) actor: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SubscriptionsArgs {
    /// Only those with news that nobody has leased
    #[arg(long, conflicts_with_all = ["task", "after"])]
    pub(crate) pending: bool,
    /// Only of this task
    #[arg(long, value_name = "ID")]
    pub(crate) task: Option<String>,
    /// Those after this one
    #[arg(long, value_name = "N")]
    pub(crate) after: Option<u64>,
    /// At most this many: 1 to 1,000
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct LeaseArgs {
    /// The subscription's number
    pub(crate) subscription: u64,
    /// For how long nobody else gets them
    #[arg(long, value_name = "DURATION", default_value = "1m")]
    pub(crate) ttl: String,
    /// At most this many events: 1 to 1,000
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: usize,
}

#[derive(Debug, Args)]
pub(crate) struct AckArgs {
    /// The subscription's number
    pub(crate) subscription: u64,
    /// The lease's number
    pub(crate) lease: u64,
}

#[derive(Debug, Args)]
pub(crate) struct NackArgs {
    /// The subscription's number
    pub(crate) subscription: u64,
    /// The lease's number
    pub(crate) lease: u64,
    /// Not again before this long from now [default: at once]
    #[arg(long, value_name = "DURATION")]
    pub(crate) retry_after: Option<String>,
}

fn modes() -> clap::builder::PossibleValuesParser {
    SubscriptionMode::ALL
        .iter()
        .map(|mode| mode.as_str())
        .into()
}
