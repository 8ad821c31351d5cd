//! Ids and arguments of every kind pass through the store unchanged.

use scheduler_core::prelude::*;
use scheduler_core::{Error, RunNow};

use crate::support::{Node, Place, later, note, plain};

/// Ids with a special meaning in SQL, JSON, a shell, a pattern or a template, and others with a meaning for people.
fn odd_ids() -> Vec<String> {
    let mut ids: Vec<String> = [
        "'; DROP TABLE scheduler_jobs; --",
        "' OR '1'='1",
        "\"; DELETE FROM scheduler_runs; --",
        "a\\'b",
        "\\",
        "\\u0000",
        "%",
        "_",
        "a%b_c",
        "$1",
        "?1",
        ":id",
        "@id",
        "{jobs}",
        "{}",
        "null",
        "NULL",
        "0",
        "-1",
        " ",
        "  leading and trailing  ",
        "a,b;c|d&e",
        "[\"a\", {\"b\": 1}]",
        "$(rm -rf /)",
        "`id`",
        "../../etc/passwd",
        "täglich",
        "毎日のレポート",
        "отчёт",
        "🦀🕰️",
        "\u{202e}right to left\u{202c}",
        "\u{feff}watermark",
        "e\u{301}",
        "\u{e9}",
        "\u{a0}",
        "Case",
        "case",
    ]
    .map(str::to_owned)
    .to_vec();
    ids.push("x".repeat(255));
    ids.push("é".repeat(127));
    ids
}

#[tokio::test]
async fn every_id_can_be_added_found_paused_resumed_run_and_removed() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        for id in odd_ids() {
            node.add(later(note::job(id.clone())).id(&*id)).await;
        }
        assert_eq!(
            node.scheduler.get_jobs().await.unwrap().len(),
            odd_ids().len()
        );
        let scheduler = &node.scheduler;
        for id in odd_ids() {
            let job = scheduler.get_job(&id).await.unwrap().unwrap();
            assert_eq!(job.id.as_str(), id);
            assert_eq!(
                job.arguments.get("text").and_then(|text| text.as_str()),
                Some(&*id)
            );
            let again = scheduler
                .add_job(later(note::job(id.clone())).id(&*id))
                .await;
            assert!(matches!(again, Err(Error::JobExists { job }) if job == id));
            let paused = scheduler.pause_job_with_note(&id, &id).await.unwrap();
            assert_eq!(paused.paused.as_deref(), Some(&*id));
            assert!(scheduler.resume_job(&id).await.unwrap().paused.is_none());
            let ran = scheduler.run_job_now(&id).await.unwrap();
            assert!(matches!(ran, RunNow::Started(_)), "{id}: {ran:?}");
        }
        for id in odd_ids() {
            node.ran(&id, 1).await;
            assert_eq!(node.log.texts(&id), [&*id]);
            assert_eq!(node.runs(&id).await.len(), 1, "{id}");
            assert_eq!(scheduler.remove_job(&id).await.unwrap().id.as_str(), id);
            assert!(scheduler.get_job(&id).await.unwrap().is_none());
        }
        assert!(scheduler.get_jobs().await.unwrap().is_empty());
        node.stop().await;
    }
}

#[tokio::test]
async fn ids_that_cannot_be_printed_are_refused_and_asking_for_them_finds_nothing() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        for id in ["", "a\0b", "line\nbreak", "\u{7f}", &"x".repeat(256)] {
            let error = node
                .scheduler
                .add_job(later(plain()).id(id))
                .await
                .unwrap_err();
            assert!(
                matches!(error, Error::InvalidName { .. }),
                "{id:?}: {error}"
            );
            assert!(
                node.scheduler.get_job(id).await.unwrap().is_none(),
                "{id:?}"
            );
            let error = node.scheduler.remove_job(id).await.unwrap_err();
            assert!(
                matches!(error, Error::JobNotFound { .. }),
                "{id:?}: {error}"
            );
        }
        node.stop().await;
    }
}

#[tokio::test]
async fn texts_of_every_kind_come_back_from_a_run() {
    let texts = [
        "\0",
        "a\0b",
        "\u{1}",
        "line\nbreak\r\n\t",
        "\"quoted\" \\ 'single'",
        "🦀",
        "\u{10ffff}",
        "",
    ];
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        for (number, text) in texts.iter().enumerate() {
            let id = format!("text-{number}");
            node.add(note::job((*text).to_owned()).id(&*id).now()).await;
            node.ran(&id, 1).await;
            assert_eq!(node.log.texts(&id), [*text], "{place:?}");
        }
        node.stop().await;
    }
}

/// Returns a job whose arguments have this length as JSON.
fn sized(bytes: usize) -> Job {
    let around = "{\"text\":\"\"}".len();
    later(note::job("x".repeat(bytes - around)))
}

#[tokio::test]
async fn arguments_of_a_quarter_megabyte_are_kept_and_larger_ones_refused() {
    for place in Place::each() {
        let node = Node::start(place.store().await).await;
        let largest = 256 * 1024;
        node.add(sized(largest).id("largest")).await;
        for bytes in [largest + 1, 1_000_000] {
            let error = node
                .scheduler
                .add_job(sized(bytes).id("too-large"))
                .await
                .unwrap_err();
            assert!(matches!(error, Error::Arguments { .. }), "{error}");
            assert!(error.to_string().contains("pass a key"), "{error}");
        }
        node.scheduler.run_job_now("largest").await.unwrap();
        node.ran("largest", 1).await;
        assert_eq!(
            node.log.texts("largest")[0].len(),
            largest - "{\"text\":\"\"}".len()
        );
        node.stop().await;
    }
}
