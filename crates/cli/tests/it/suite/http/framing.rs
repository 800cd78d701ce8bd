//! Where one request ends and the next begins (H1).

use super::{host, start};

/// H1. An ambiguous message gets at most one response, and the server closes the connection. The request hidden in it
/// never gets a response.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_cannot_be_smuggled_in_another() {
    let prokura = start().await;
    let host = host(&prokura);
    let hidden = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let form = "grant_type=x";
    let chunked = format!("{:x}\r\n{form}\r\n0\r\n\r\n", form.len());
    let length = format!("Content-Length: {}\r\n", form.len());
    let more = format!("Content-Length: {}\r\n", form.len() + hidden.len());
    let transfer = "Transfer-Encoding: chunked\r\n";
    for (name, headers, body) in [
        (
            "length, then chunks",
            format!("{length}{transfer}"),
            &chunked,
        ),
        (
            "chunks, then length",
            format!("{transfer}{length}"),
            &chunked,
        ),
        (
            "chunks and no length",
            format!("{transfer}Content-Length: 0\r\n"),
            &chunked,
        ),
        ("two lengths", format!("{length}{more}"), &form.to_owned()),
        (
            "two lengths, the longer first",
            format!("{more}{length}"),
            &form.to_owned(),
        ),
        (
            "a length with a sign",
            "Content-Length: +12\r\n".to_owned(),
            &form.to_owned(),
        ),
        (
            "a negative length",
            "Content-Length: -12\r\n".to_owned(),
            &form.to_owned(),
        ),
        (
            "a list of lengths",
            "Content-Length: 12, 12\r\n".to_owned(),
            &form.to_owned(),
        ),
        (
            "a hexadecimal length",
            "Content-Length: 0xc\r\n".to_owned(),
            &form.to_owned(),
        ),
        (
            "a length with a space in it",
            "Content-Length: 1 2\r\n".to_owned(),
            &form.to_owned(),
        ),
        (
            "an endless length",
            "Content-Length: 99999999999999999999\r\n".to_owned(),
            &form.to_owned(),
        ),
        (
            "chunked but not last",
            "Transfer-Encoding: chunked, identity\r\n".to_owned(),
            &chunked,
        ),
        (
            "no coding",
            "Transfer-Encoding: identity\r\n".to_owned(),
            &chunked,
        ),
        (
            "an unknown coding",
            "Transfer-Encoding: xchunked\r\n".to_owned(),
            &chunked,
        ),
        (
            "a space before the colon",
            "Transfer-Encoding : chunked\r\n".to_owned(),
            &chunked,
        ),
        (
            "a space before the name",
            " Transfer-Encoding: chunked\r\n".to_owned(),
            &chunked,
        ),
        (
            "a folded line",
            "Transfer-Encoding:\r\n chunked\r\n".to_owned(),
            &chunked,
        ),
        (
            "a NUL in a value",
            format!("X-A: a\0b\r\n{length}"),
            &form.to_owned(),
        ),
        (
            "a NUL in a name",
            format!("X-\0A: b\r\n{length}"),
            &form.to_owned(),
        ),
        (
            "a return in a value",
            format!("X-A: a\rb\r\n{length}"),
            &form.to_owned(),
        ),
        (
            "a line without a colon",
            format!("X-A\r\n{length}"),
            &form.to_owned(),
        ),
        (
            "a nameless header",
            format!(": a\r\n{length}"),
            &form.to_owned(),
        ),
        (
            "an endless chunk",
            transfer.to_owned(),
            &"ffffffffffffffffff\r\nx\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "a chunk with a sign",
            transfer.to_owned(),
            &"+c\r\ngrant_type=x\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "a chunk that is longer than it says",
            transfer.to_owned(),
            &"3\r\ngrant_type=x\r\n0\r\n\r\n".to_owned(),
        ),
        (
            "a chunk of nothing",
            transfer.to_owned(),
            &"\r\n\r\n".to_owned(),
        ),
        ("an old version with chunks", String::new(), &chunked),
    ] {
        let version = if name.starts_with("an old") {
            "1.0"
        } else {
            "1.1"
        };
        let headers = if version == "1.0" {
            transfer.to_owned()
        } else {
            headers
        };
        let message = format!(
            "POST /oauth2/token HTTP/{version}\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             {headers}\r\n{body}{hidden}"
        );
        let answer = prokura.wire(message).await;
        let statuses = answer.statuses();
        assert!(statuses.len() <= 1, "{name}: {answer:?}");
        assert!(!answer.0.contains("alive"), "{name}: {answer:?}");
        assert!(
            statuses.iter().all(|status| (400..500).contains(status)),
            "{name}: {answer:?}"
        );
    }
    // Other clients are not affected.
    prokura.get("/healthz").await.expect(200);
}

/// H1. Unusual but valid requests are served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pipelined_requests_are_answered_in_order() {
    let prokura = start().await;
    let host = host(&prokura);
    let first = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let last = format!("GET /readyz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    let answer = prokura.wire(format!("{first}{first}{last}{first}")).await;
    assert_eq!(answer.statuses(), [200, 200, 200]);
    // Chunks with extensions and trailers, and a Content-Length that is given twice with the same value.
    let form = "grant_type=x";
    let request = |headers: &str, body: &str| {
        format!(
            "POST /oauth2/token HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\n{headers}\r\n{body}"
        )
    };
    let chunked = "6;a=b\r\ngrant_\r\n6\r\ntype=x\r\n0\r\nX-Trailer: a\r\n\r\n";
    let length = format!("Content-Length: {}\r\n", form.len());
    for request in [
        request("Transfer-Encoding: chunked\r\n", chunked),
        request(&length, form),
    ] {
        let answer = prokura.wire(request).await;
        assert_eq!(answer.status(), 401, "{answer:?}");
    }
}

/// H1, H5. Bytes that are not HTTP/1 get one error response, or none.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_that_are_not_http_are_refused() {
    let prokura = start().await;
    let tls = [
        &b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"[..],
        &[0; 64],
    ]
    .concat();
    for bytes in [
        &b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..],
        b"GET /healthz\r\n\r\n",
        b"GET /healthz HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/1.2\r\nHost: a\r\n\r\n",
        b"GET /healthz HTTP/11\r\nHost: a\r\n\r\n",
        b"GET  /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /heal thz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"G\0T /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /heal\0thz HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        b"*1\r\n$4\r\nPING\r\n",
        b"\xff\xff\xff\xff\r\n\r\n",
        &tls,
    ] {
        let answer = prokura.wire(bytes).await;
        let statuses = answer.statuses();
        assert!(statuses.len() <= 1, "{bytes:?} {answer:?}");
        assert!(
            statuses.iter().all(|status| (400..500).contains(status)),
            "{bytes:?} {answer:?}"
        );
    }
    prokura.get("/healthz").await.expect(200);
}
