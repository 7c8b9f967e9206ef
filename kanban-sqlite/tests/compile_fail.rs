//! The patterns of old that lost data, one connection shared by threads and a connection per call, cannot be
//! written against this crate: no connection type is public, and none leaves a read or a write.

#[test]
fn shared_and_per_call_connections_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
