//! Events of what is published.

use super::*;
use crate::refresh::StateWriter;
use crate::store::state_directory::StateDirectory;

#[tokio::test(start_paused = true)]
async fn what_is_rendered_late_is_saved_with_its_events_as_seen() {
    let folder = tempfile::tempdir().unwrap();
    let directory = Arc::new(StateDirectory::open(folder.path()).unwrap());
    let telemetry = Arc::new(Telemetry::new().unwrap());
    let writer = StateWriter::new(Arc::clone(&directory), Arc::default(), telemetry);
    let writer = Arc::new(writer);
    let mut cell = cell();
    cell.context.state_writer = Some(Arc::clone(&writer));
    cell.begin(Api::Scores);
    refreshed(&cell, Api::Profiles, Ok(accepted(false)));
    cell.render_late().await;
    assert_eq!(emitted(&cell), ["state_changed"]);
    writer.close();
    let saved = directory.load("contoso").unwrap();
    assert_eq!(saved.seen, cell.data.lock().seen);
}

#[tokio::test]
async fn events_are_emitted_after_their_data_is_published() {
    let cell = cell();
    let controls = Arc::<Mutex<Vec<usize>>>::default();
    // Looks into the store whenever a line is logged.
    let (store, seen) = (Arc::clone(&cell.context.store), Arc::clone(&controls));
    let writer = move || {
        let tenants = store.current();
        let state = tenants.find("contoso");
        seen.lock()
            .push(state.map_or(0, |it| it.snapshot.controls.len()));
        std::io::sink()
    };
    // The first use of a log line decides whether it is enabled. Another test
    // may make that decision at this moment, for no subscriber.
    apply(&self::cell(), accepted(false)).unwrap();
    let subscriber = tracing_subscriber::fmt().with_writer(writer).finish();
    tracing::subscriber::with_default(subscriber, || apply(&cell, accepted(false)).unwrap());
    assert_eq!(*controls.lock(), [2]);
}

#[tokio::test(start_paused = true)]
async fn data_that_expired_and_returned_repeats_no_event() {
    let cell = cell();
    apply(&cell, accepted(false)).unwrap();
    tokio::time::advance(24 * HOUR).await;
    cell.drop_expired();
    assert_eq!(controls(&cell), 0);
    apply(&cell, catalogue(&["B"], true)).unwrap_err();
    assert_eq!(controls(&cell), 1, "a partial catalogue replaces none");
    apply(&cell, accepted(true)).unwrap_err();
    apply(&cell, accepted(false)).unwrap();
    assert_eq!(emitted(&cell), ["state_changed"]);
}
