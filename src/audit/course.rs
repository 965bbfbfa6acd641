//! The courses that a client's discovery can take under the same answers: one for each MX that it can take, each with what
//! would come in the winner's place. Pure.

use crate::{
    clients::{Client, search},
    model::{Assumption, Discovery, Lookup, Readings, Request, Subject},
};

/// One course.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Course {
    /// What the client ends with.
    pub(super) discovery: Discovery,
    /// What it would end with, had the winner's lookups come to nothing; `None` where there is no winner.
    pub(super) next: Option<Discovery>,
}

/// All courses of a client under these answers; at least one.
pub(super) fn courses(client: &Client, subject: &Subject, readings: &Readings) -> Vec<Course> {
    let course = |mx| {
        let discovery = search(client, subject, readings, Assumption { lost: &[], mx }).discovery;
        let lost = lost(&discovery);
        let next = (!lost.is_empty()).then(|| search(client, subject, readings, Assumption { lost, mx }).discovery);
        Course { discovery, next }
    };
    let first = course(0);
    let others = 1..variants(&first.discovery);
    std::iter::once(first).chain(others.map(course)).collect()
}

/// The courses of a client while answers come in. A search that misses nothing is never made again, as answers are only added and
/// it has looked at all that it will.
pub(super) struct Quest<'a> {
    client: &'a Client,
    subject: &'a Subject,
    /// By MX.
    stages: Vec<Stage>,
}

#[derive(Debug, Clone)]
enum Stage {
    /// Misses answers, or has not been searched.
    Open,
    /// Has a winner, and misses what would come in its place.
    Won(Box<Discovery>),
    Whole(Box<Course>),
}

impl<'a> Quest<'a> {
    pub(super) fn new(client: &'a Client, subject: &'a Subject) -> Self {
        Self { client, subject, stages: vec![Stage::Open] }
    }

    /// Searches whatever is not whole, and says what is missing.
    pub(super) fn advance(&mut self, readings: &Readings) -> Vec<Lookup> {
        let (mut missing, mut mx) = (Vec::new(), 0);
        while let Some(place) = self.stages.get_mut(mx) {
            let stage = std::mem::replace(place, Stage::Open);
            let (next, more, variants) = self.step(stage, mx, readings);
            if let Some(place) = self.stages.get_mut(mx) {
                *place = next;
            }
            self.stages.resize(self.stages.len().max(variants), Stage::Open);
            missing.extend(more);
            mx += 1;
        }
        missing
    }

    /// The courses; searched as far as the answers go where something is still missing.
    pub(super) fn into_courses(self, readings: &Readings) -> Vec<Course> {
        let whole = |stage| if let Stage::Whole(course) = stage { Some(*course) } else { None };
        let found: Option<Vec<Course>> = self.stages.into_iter().map(whole).collect();
        found.unwrap_or_else(|| courses(self.client, self.subject, readings))
    }

    /// The next stage, what is missing for it, and how many MX there are as far as it knows.
    fn step(&self, stage: Stage, mx: usize, readings: &Readings) -> (Stage, Vec<Lookup>, usize) {
        let (discovery, variants) = match stage {
            Stage::Whole(_) => return (stage, Vec::new(), 1),
            Stage::Won(discovery) => (discovery, 1),
            Stage::Open => {
                let found = search(self.client, self.subject, readings, Assumption { lost: &[], mx });
                let variants = variants(&found.discovery);
                if !found.missing.is_empty() {
                    return (Stage::Open, found.missing, variants);
                }
                (Box::new(found.discovery), variants)
            }
        };
        let lost = lost(&discovery);
        let next = (!lost.is_empty()).then(|| search(self.client, self.subject, readings, Assumption { lost, mx }));
        match next {
            Some(next) if !next.missing.is_empty() => (Stage::Won(discovery), next.missing, variants),
            next => {
                let course = Course { discovery: *discovery, next: next.map(|next| next.discovery) };
                (Stage::Whole(Box::new(course)), Vec::new(), variants)
            }
        }
    }
}

fn lost(discovery: &Discovery) -> &[Request] {
    discovery.win.as_ref().map(|win| win.requests.as_slice()).unwrap_or_default()
}

fn variants(discovery: &Discovery) -> usize {
    discovery.equal_mx.clamp(1, MAX_EQUAL_MX)
}

/// MX that are looked at; more are taken for the first ones.
const MAX_EQUAL_MX: usize = 4;
