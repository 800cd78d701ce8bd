//! How a response is stored for retries.

use serde_json::json;

use super::{CREATE, DAY_MS, everything, rotation_of, start_with_account};

/// Q4. The database has only a digest of the key and a sealed response, and both are deleted in time.
#[tokio::test]
async fn a_stored_response_reveals_nothing() {
    let (prokura, token, account) = start_with_account().await;
    let key = "a key that is to be found nowhere";
    let body = json!({ "name": "New" });
    let reply = prokura.post_once(CREATE, &token, key, Some(&body)).await;
    let answer = String::from_utf8(reply.expect(201).body.to_vec()).unwrap();
    let rotation = rotation_of(&account);
    let reply = prokura.post_once(&rotation, &token, key, None).await;
    reply.expect(200);
    let rows = prokura.rows("SELECT * FROM idempotent_requests").await;
    assert_eq!(rows.len(), 2);
    let hex = |text: &str| base16ct::lower::encode_string(text.as_bytes());
    let hidden: Vec<String> = vec![
        hex(key),
        hex(&answer[..32]),
        hex("prk_"),
        hex("clientSecret"),
        hex(&prokura.root.id),
        prokura.root.id.replace('-', ""),
        account.id.replace('-', ""),
    ];
    for row in &rows {
        let [id, sealed, expires_at] = &row[..] else {
            panic!("{row:?}");
        };
        assert_eq!(id.as_str().unwrap().len(), 2 * 32);
        assert_eq!(*expires_at, prokura.now() + DAY_MS);
        for text in [id, sealed] {
            for hidden in &hidden {
                assert!(!text.as_str().unwrap().contains(hidden), "{hidden}");
            }
        }
    }
    assert_ne!(rows[0][0], rows[1][0]);
}

/// P8, Q4. A stored response that was altered, or moved to another row, is refused even with the right key. The request
/// is not done again either.
#[tokio::test]
async fn an_altered_or_moved_response_is_refused() {
    let (prokura, token, account) = start_with_account().await;
    let body = json!({ "name": "New" });
    let requests = [
        (CREATE.to_owned(), Some(&body)),
        (rotation_of(&account), None),
    ];
    for (path, body) in &requests {
        let reply = prokura.post_once(path, &token, "k", *body).await;
        assert!(reply.status < 300, "{reply:?}");
    }
    for (change, still_given) in [
        (
            "UPDATE idempotent_requests SET sealed = (SELECT sealed FROM idempotent_requests ORDER BY id LIMIT 1)",
            1,
        ),
        ("UPDATE idempotent_requests SET sealed = id", 0),
    ] {
        prokura.change_database(change).await;
        let before = everything(&prokura).await;
        let mut given = 0;
        for (path, body) in &requests {
            let reply = prokura.post_once(path, &token, "k", *body).await;
            if reply.status < 300 {
                given += 1;
            } else {
                reply.expect_api_error(503, "temporarily_unavailable");
            }
        }
        assert_eq!(given, still_given, "{change}");
        assert_eq!(everything(&prokura).await, before);
    }
}
