//! Copies of a board's file that are no backups: what was answered may be in the `-wal` beside the file.

use std::fs;
use std::path::Path;

use kanban_conformance::calls;
use kanban_core::{BoardStore, Boards, ErrorKind, ImportBackup, KeepClaims, Options};
use kanban_sqlite::SqliteBackend;
use pollster::block_on;

fn open(root: &Path) -> Boards {
    Boards::open_root(root, SqliteBackend::new(), Options::default()).unwrap()
}

fn restore(boards: &Boards, into: &dyn BoardStore, file: &Path) -> kanban_core::Result<u64> {
    let backup = ImportBackup {
        file: file.to_owned(),
        claims: KeepClaims::No,
        actor: calls::label("olga"),
    };
    block_on(boards.import_backup(into, backup)).map(|restored| restored.value.tasks)
}

#[test]
fn a_copy_of_a_boards_file_is_not_restored() {
    let directory = tempfile::tempdir().unwrap();
    let (theirs, ours) = (
        open(&directory.path().join("a")),
        open(&directory.path().join("b")),
    );
    let live = block_on(theirs.open(None)).unwrap();
    let into = block_on(ours.open(None)).unwrap();
    block_on(live.create(calls::new("in the -wal"))).unwrap();
    let file = directory.path().join("a/boards/default/board.db");
    let copy = directory.path().join("copy.db");
    fs::copy(&file, &copy).unwrap();
    for file in [&copy, &file] {
        let refused = restore(&ours, &*into, file).unwrap_err();
        assert_eq!(refused.kind(), &ErrorKind::Corrupt);
        assert!(refused.to_string().contains("kanban backup"), "{refused}");
    }
    let backup = directory.path().join("backup.db");
    block_on(live.backup(backup.clone())).unwrap();
    assert_eq!(restore(&ours, &*into, &backup).unwrap(), 1);
}

#[test]
fn a_file_of_this_root_is_not_restored_by_another_name() {
    let directory = tempfile::tempdir().unwrap();
    let boards = open(&directory.path().join("root"));
    let live = block_on(boards.open(None)).unwrap();
    block_on(live.create(calls::new("in use"))).unwrap();
    let into = block_on(boards.create(&calls::slug("copy"))).unwrap();
    let link = directory.path().join("link.db");
    let file = directory.path().join("root/boards/default/board.db");
    fs::hard_link(file, &link).unwrap();
    let refused = restore(&boards, &*into, &link).unwrap_err();
    assert!(matches!(refused.kind(), ErrorKind::Invalid(_)), "{refused}");
}

#[test]
fn a_backup_is_no_board() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("root");
    let boards = open(&root);
    let live = block_on(boards.open(None)).unwrap();
    block_on(live.create(calls::new("there"))).unwrap();
    let backup = directory.path().join("backup.db");
    block_on(live.backup(backup.clone())).unwrap();
    fs::create_dir(root.join("boards/put")).unwrap();
    fs::rename(backup, root.join("boards/put/board.db")).unwrap();
    let opened = block_on(boards.open(Some(&calls::slug("put"))));
    let refused = opened.map(|_| ()).unwrap_err();
    assert_eq!(refused.kind(), &ErrorKind::Corrupt);
}
