//! Fits a rendering into the bytes that a channel takes. Pure.

/// How much a rendering shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    /// So many items, the gravest.
    pub(super) items: usize,
    /// Characters of each text at most.
    pub(super) text: usize,
}

/// What a channel takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Budget {
    /// The size at most, by the channel's own way of weighing.
    pub(super) size: usize,
    /// Items at most: more than anyone reads are left to the report.
    pub(super) items: usize,
}

impl Budget {
    /// What is tried after the channel found the first rendering too large.
    pub(super) fn halved(self) -> Self {
        Self { size: self.size / 2, items: self.items / 2 }
    }

    /// Renders with as many of `count` items as fit. Texts are shortened before the last item is left out; the smallest rendering is given
    /// back even where it does not fit.
    pub(super) fn fit<T>(self, count: usize, weigh: impl Fn(&T) -> usize, render: impl Fn(Share) -> T) -> T {
        let most = count.min(self.items);
        let mut best = None;
        for text in TEXTS {
            let attempt = |items| {
                let rendered = render(Share { items, text });
                (weigh(&rendered) <= self.size).then_some(rendered)
            };
            if let Some(rendered) = attempt(most) {
                return rendered;
            }
            // what is below fits or is not known to, what is above does not
            let (mut below, mut above) = (0, most);
            while above - below > 1 {
                let middle = usize::midpoint(below, above);
                match attempt(middle) {
                    Some(rendered) => (best, below) = (Some(rendered), middle),
                    None => above = middle,
                }
            }
            if below > 0 {
                break;
            }
            best = best.or_else(|| attempt(0));
        }
        best.unwrap_or_else(|| render(Share { items: 0, text: LEAST_TEXT }))
    }
}

/// Characters of each text, tried in order.
const TEXTS: [usize; 3] = [600, 200, LEAST_TEXT];
const LEAST_TEXT: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(size: usize, count: usize, item: usize) -> (usize, String) {
        let budget = Budget { size, items: 100 };
        let rendered = budget.fit(count, String::len, |share| {
            let mut text = "head".to_owned();
            text.extend(std::iter::repeat_n("x".repeat(item.min(share.text)), share.items));
            text
        });
        ((rendered.len() - 4) / item.min(600), rendered)
    }

    #[test]
    fn as_many_items_are_shown_as_fit_and_no_more_than_anyone_reads() {
        for (size, count, shown) in [(104, 0, 0), (104, 1, 1), (104, 10, 10), (104, 11, 10), (104, 100_000, 10), (100_000, 100_000, 100)] {
            let (items, text) = fitted(size, count, 10);
            assert_eq!(items, shown, "{size} {count}");
            assert!(text.len() <= size);
        }
    }

    #[test]
    fn texts_are_shortened_before_the_last_item_is_left_out() {
        assert_eq!(fitted(300, 5, 600).1.len(), 4 + 200);
        assert_eq!(fitted(100, 5, 600).1.len(), 4 + 60);
        assert_eq!(fitted(50, 5, 600).1, "head");
        assert_eq!(fitted(3, 5, 600).1, "head");
    }
}
