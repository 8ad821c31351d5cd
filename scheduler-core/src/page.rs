//! Part of a list, with the position at which the rest begins.

/// A page of a list: its items, and the cursor of the next page if there are more.
///
/// | list | cursor |
/// | --- | --- |
/// | [`list_jobs`](crate::Scheduler::list_jobs) | for [`JobFilter::after`](crate::JobFilter::after) |
/// | [`list_runs`](crate::Scheduler::list_runs) | for [`RunFilter::before`](crate::RunFilter::before) |
/// | [`list_skipped`](crate::Scheduler::list_skipped) | for [`SkippedFilter::before`](crate::SkippedFilter::before) |
/// | [`list_upcoming`](crate::Scheduler::list_upcoming) | for [`UpcomingFilter::after`](crate::UpcomingFilter::after) |
///
/// A filter with the limit `usize::MAX` puts the whole list into one page.
///
/// ```
/// use scheduler_core::prelude::*;
/// use scheduler_core::JobFilter;
///
/// #[task]
/// async fn sync_account(account: u32) {}
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), scheduler_core::Error> {
/// # let scheduler = Scheduler::builder().without_static_jobs().start().await?;
/// for account in 0..5 {
///     let job = sync_account::job(account).id(format!("account-{account}"));
///     scheduler.add_job(job.interval("1h")).await?;
/// }
/// let mut filter = JobFilter::new().limit(2);
/// let mut pages = Vec::new();
/// loop {
///     let page = scheduler.list_jobs(&filter).await?;
///     pages.push(page.items.len());
///     let Some(next) = page.next else { break };
///     filter = filter.after(next.as_str());
/// }
/// assert_eq!(pages, [2, 2, 1]);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page<T, C> {
    /// The items, in the order of the list.
    pub items: Vec<T>,
    /// The cursor of the next page, or `None` if this is the last one.
    pub next: Option<C>,
}

impl<T, C> IntoIterator for Page<T, C> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<T, C> Page<T, C> {
    /// Creates a page of at most `limit` items from the result of a request for one more.
    pub(crate) fn cut(mut items: Vec<T>, limit: usize, cursor: impl Fn(&T) -> C) -> Self {
        let is_cut = items.len() > limit;
        items.truncate(limit);
        let next = items.last().filter(|_| is_cut).map(cursor);
        Self { items, next }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_says_whether_the_list_goes_on() {
        let page = |items: &[u8], limit| Page::cut(items.to_vec(), limit, |last| *last);
        for (found, limit, items, next) in [
            (&[1, 2, 3][..], 2, &[1, 2][..], Some(2)),
            (&[1, 2], 2, &[1, 2], None),
            (&[1], 2, &[1], None),
            (&[], 2, &[], None),
        ] {
            let page = page(found, limit);
            assert_eq!((&*page.items, page.next), (items, next));
        }
    }
}
