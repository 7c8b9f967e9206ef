//! A connection per call, or one shared by all, begins with naming a connection.

use kanban_sqlite::connection::Connection;

fn main() {
    let _shared: Option<std::sync::Mutex<Connection>> = None;
}
