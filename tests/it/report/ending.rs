//! How a report ends where its reader goes away, or where there is nothing to report.

use super::*;

#[tokio::test]
async fn a_pipe_that_closes_and_a_run_that_never_was_are_errors() {
    struct Closed;
    impl std::io::Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let store = world(&folder).await;
    for format in [Format::Text { all: false }, Format::Csv(CsvDialect::Excel), Format::Json, Format::Jsonl] {
        let (filter, selection) = (ReportFilter::default(), Selection::default());
        let request = Request { filter, selection, format, generated_at: 0, remedies: &remedies() };
        let head = Head::read(&mut store.reader().snapshot().await.unwrap(), &request).await.unwrap();
        let failed = write_report(&mut store.reader().snapshot().await.unwrap(), (&request, &head), Closed).await;
        assert!(matches!(&failed, Err(ReportError::Write(error)) if error.kind() == std::io::ErrorKind::BrokenPipe), "{failed:?}");
    }
    let filter = ReportFilter { run: Some(RunId(99)), ..ReportFilter::default() };
    let request = Request { filter, selection: Selection::default(), format: Format::Jsonl, generated_at: 0, remedies: &remedies() };
    let head = Head::new(None, 0, Vec::new());
    assert!(matches!(
        write_report(&mut store.reader().snapshot().await.unwrap(), (&request, &head), Vec::new()).await,
        Err(ReportError::Read(_))
    ));
}
