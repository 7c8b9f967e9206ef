//! The larger turns of a task's life: planning, reopening, and the archive.

mod archive;
mod decompose;
mod reopen;
mod specify;
