//! The engine's own integrity check.

use kanban_core::{ErrorKind, Result, Violation};
use rusqlite::Connection;

use crate::error::storage;

/// Counters that differ from a recount, either way.
const MISCOUNTED: &str = "
    WITH found AS (
        SELECT status, coalesce(assignee, '') AS assignee, count(*) AS tasks
        FROM task GROUP BY status, coalesce(assignee, '')
    )
    SELECT coalesce(found.status, kept.status), coalesce(found.assignee, kept.assignee),
        coalesce(kept.tasks, 0), coalesce(found.tasks, 0)
    FROM found FULL JOIN task_count AS kept
        ON kept.status = found.status AND kept.assignee = found.assignee
    WHERE found.tasks IS NOT kept.tasks
    LIMIT ?1";

/// The structure of the file, rows against indexes, references, and counters against rows.
pub(crate) fn check(connection: &Connection, limit: usize) -> Result<Vec<Violation>> {
    let mut found = damage(connection, limit)?;
    found.extend(dangling(connection, limit.saturating_sub(found.len()))?);
    found.extend(miscounted(connection, limit.saturating_sub(found.len()))?);
    Ok(found)
}

fn damage(connection: &Connection, limit: usize) -> Result<Vec<Violation>> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    let doing = |error| storage("checking the file", error);
    let mut statement = connection
        .prepare(&format!("PRAGMA integrity_check({limit})"))
        .map_err(doing)?;
    let rows = statement
        .query_map([], |row| row.get::<_, String>(0))
        .map_err(doing)?;
    let mut found = Vec::new();
    for row in rows {
        let what = match row {
            Ok(what) => what,
            // The damage is such that the check itself cannot go on: that is a finding.
            Err(error) => match storage("checking the file", error) {
                error if *error.kind() == ErrorKind::Corrupt => {
                    let what = "the file is damaged where the check must read it".to_owned();
                    found.push(Violation { invariant: 0, what });
                    break;
                }
                error => return Err(error),
            },
        };
        if what != "ok" {
            // The pragma tells both alike; only its words differ.
            let is_index = what.contains("index");
            found.push(Violation {
                invariant: if is_index { 13 } else { 0 },
                what,
            });
        }
    }
    Ok(found)
}

fn dangling(connection: &Connection, limit: usize) -> Result<Vec<Violation>> {
    let doing = |error| storage("checking references", error);
    let mut statement = connection
        .prepare("PRAGMA foreign_key_check")
        .map_err(doing)?;
    let rows = statement
        .query_map([], |row| {
            let table: String = row.get(0)?;
            let rowid: Option<i64> = row.get(1)?;
            Ok(Violation {
                invariant: 0,
                what: match rowid {
                    Some(rowid) => format!("row {rowid} of {table} refers to no task"),
                    None => format!("a row of {table} refers to no task"),
                },
            })
        })
        .map_err(doing)?;
    rows.take(limit)
        .collect::<rusqlite::Result<_>>()
        .map_err(doing)
}

fn miscounted(connection: &Connection, limit: usize) -> Result<Vec<Violation>> {
    let doing = |error| storage("recounting", error);
    let mut statement = connection.prepare(MISCOUNTED).map_err(doing)?;
    let rows = statement
        .query_map([i64::try_from(limit).unwrap_or(i64::MAX)], |row| {
            let (status, assignee): (String, String) = (row.get(0)?, row.get(1)?);
            let (kept, found): (i64, i64) = (row.get(2)?, row.get(3)?);
            Ok(Violation {
                invariant: 11,
                what: format!("the counter of {status} and {assignee:?} is {kept}, found {found}"),
            })
        })
        .map_err(doing)?;
    rows.collect::<rusqlite::Result<_>>().map_err(doing)
}
