//! What a program on a host can count on, whatever the way to it is.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use geodeploy::host::{Channel, End, Transport, Transports};
use tokio::io::AsyncBufReadExt;

use crate::sshd::{Login, Sshd};
use crate::{local, openssh};

async fn exec(transport: &Transports, command: &str, input: Vec<u8>) -> Channel {
    transport.exec(command, input).await.unwrap()
}

async fn finish(transport: &Transports, command: &str, input: Vec<u8>) -> (String, End) {
    let running = exec(transport, command, input).await.finish();
    let ended = tokio::time::timeout(Duration::from_secs(30), running).await;
    ended
        .unwrap_or_else(|_| panic!("`{command}` does not end"))
        .unwrap()
}

async fn keeps_the_contract(transport: &Transports) {
    both_streams_and_every_status(transport).await;
    a_megabyte_arrives_whole(transport).await;
    eight_at_once_are_not_mixed(transport).await;
    output_comes_while_input_is_still_sent(transport).await;
    a_program_that_reads_nothing_ends(transport).await;
    a_long_complaint_does_not_block(transport).await;
}

async fn both_streams_and_every_status(transport: &Transports) {
    let (out, end) = finish(transport, "echo out; echo err >&2", Vec::new()).await;
    assert_eq!(
        (&*out, end.status, &*end.stderr),
        ("out\n", Some(0), "err\n")
    );
    for status in [0, 1, 3, 126, 127, 255] {
        let (_, end) = finish(transport, &format!("exit {status}"), Vec::new()).await;
        assert_eq!(end.status, Some(status));
    }
    let (_, end) = finish(transport, "exec /nonexistent/program", Vec::new()).await;
    assert_eq!(end.status, Some(127), "{}", end.stderr);
    let (_, end) = finish(transport, "exec /etc/passwd", Vec::new()).await;
    assert_eq!(end.status, Some(126), "{}", end.stderr);
    let (out, end) = finish(transport, "echo before; kill -9 $$", Vec::new()).await;
    assert_eq!((&*out, end.status), ("before\n", None));
}

async fn a_megabyte_arrives_whole(transport: &Transports) {
    let input: Vec<u8> = (0_u32..1 << 18).flat_map(u32::to_le_bytes).collect();
    let digest = geodeploy::digest::sha256(&input);
    let (out, end) = finish(transport, "sha256sum", input.clone()).await;
    assert_eq!(out.split(' ').next(), Some(&*digest), "{end:?}");
    // Through and back, every byte value among them.
    let (out, _) = finish(transport, "cat | sha256sum; exit 5", input).await;
    assert!(out.starts_with(&digest), "{out}");
}

async fn eight_at_once_are_not_mixed(transport: &Transports) {
    let begun = Instant::now();
    let commands = (0..8).map(|number| async move {
        let input = vec![b'a' + number; 100_000];
        let command = format!("sleep 0.5; cat; exit {number}");
        finish(transport, &command, input).await
    });
    for (number, (out, end)) in (0..8).zip(join_all(commands).await) {
        assert_eq!(end.status, Some(i32::from(number)));
        assert_eq!(out.len(), 100_000);
        assert!(out.bytes().all(|byte| byte == b'a' + number));
    }
    let seconds = begun.elapsed().as_secs_f64();
    assert!(
        seconds < 3.0,
        "one after the other they take 4 s: {seconds}"
    );
}

async fn output_comes_while_input_is_still_sent(transport: &Transports) {
    // More than pipes and windows hold, so that sending is not done before the program reads.
    let input = vec![b'x'; 16 << 20];
    let command = "echo ready; sleep 1; wc -c";
    let begun = Instant::now();
    let mut channel = exec(transport, command, input).await;
    let mut line = String::new();
    channel.stdout.read_line(&mut line).await.unwrap();
    let first = begun.elapsed().as_secs_f64();
    assert_eq!(line, "ready\n");
    assert!(first < 0.9, "{first} s");
    let (out, end) = channel.finish().await.unwrap();
    assert_eq!((out.trim(), end.status), ("16777216", Some(0)));
}

async fn a_program_that_reads_nothing_ends(transport: &Transports) {
    let (out, end) = finish(transport, "echo done", vec![0; 8 << 20]).await;
    assert_eq!((&*out, end.status), ("done\n", Some(0)));
}

async fn a_long_complaint_does_not_block(transport: &Transports) {
    let command = "head -c 3000000 /dev/zero | tr \"\\0\" e >&2; echo done; exit 2";
    let (out, end) = finish(transport, command, Vec::new()).await;
    assert_eq!((&*out, end.status), ("done\n", Some(2)));
    assert_eq!(end.stderr.len(), 64 << 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn local_keeps_the_contract() {
    let root = tempfile::tempdir().unwrap();
    keeps_the_contract(&local(root.path())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn openssh_keeps_the_contract() {
    let Some(sshd) = Sshd::start() else { return };
    let transport = openssh(&sshd, Login::Quiet).await;
    keeps_the_contract(&transport).await;
    transport.close().await;
}
