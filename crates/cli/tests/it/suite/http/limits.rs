//! The size of a request head (H4).

use serde_json::Value;

use super::start;

/// H4. A head that is too large is refused and the connection is closed. A large head within the limit is accepted.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_is_too_large_is_refused() {
    let prokura = start().await;
    let list = "GET /api/v1/service-accounts";
    let one = format!("X-Large: {}", "x".repeat(200_000));
    assert_eq!(prokura.wire_request(list, &[&one]).await.status(), 431);
    let many = vec!["X-Many: x"; 200];
    assert_eq!(prokura.wire_request(list, &many).await.status(), 431);
    let name = format!("{}: x", "x".repeat(70_000));
    let answer = prokura.wire_request(list, &[&name]).await;
    assert!(matches!(answer.status(), 400 | 431), "{answer:?}");
    let some = vec!["X-Some: x"; 90];
    assert_eq!(prokura.wire_request(list, &some).await.status(), 401);

    for length in [1024, 16 * 1024, 60 * 1024] {
        let value = "a".repeat(length);
        for (scheme, status) in [("Bearer", 401), ("Basic", 401), ("Bearer \"", 400)] {
            let authorization = format!("Authorization: {scheme} {value}");
            let answer = prokura.wire_request(list, &[&authorization]).await;
            assert_eq!(answer.status(), status, "{scheme} {length}");
        }
        let authorization = format!("Basic {value}");
        let headers = [("authorization", &*authorization)];
        prokura
            .raw_form("/oauth2/token", &headers, "grant_type=client_credentials")
            .await
            .expect_oauth_error(401, "invalid_client");
    }
    prokura.get("/healthz").await.expect(200);
}

/// H4. A URI of more than 8 KiB is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_uri_that_is_too_long_is_refused() {
    let prokura = start().await;
    for (start, is_oauth) in [
        ("/api/v1/service-accounts?", false),
        ("/healthz?", false),
        ("/", false),
        ("/oauth2/token?", true),
        ("/oauth2/", true),
    ] {
        for length in [8 * 1024 + 1, 60_000] {
            let target = format!("{start}{}", "x".repeat(length - start.len()));
            let answer = prokura.wire_request(&format!("GET {target}"), &[]).await;
            assert_eq!(answer.status(), 414, "{start} {length}");
            let body = serde_json::from_str::<Value>(answer.body()).unwrap();
            let code = if is_oauth {
                &body["error"]
            } else {
                &body["code"]
            };
            assert_eq!(code, "uri_too_long");
        }
        // Longer than the limit of the whole head.
        let target = format!("{start}{}", "x".repeat(200_000));
        let answer = prokura.wire_request(&format!("GET {target}"), &[]).await;
        assert!(matches!(answer.status(), 414 | 431), "{answer:?}");
    }
    let target = format!("/healthz?{}", "x".repeat(8 * 1024 - "/healthz?".len()));
    let answer = prokura.wire_request(&format!("GET {target}"), &[]).await;
    assert_eq!(answer.status(), 200);
}
