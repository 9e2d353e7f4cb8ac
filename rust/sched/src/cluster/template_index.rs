//! Which templates come into question for a selector, without looking at all of them.

use bayplan_api::{LabelSelector, LabelSelectorOperator, LabelSelectorRequirement, Labels, Str};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::pod_info::{AffinityTerm, PodInfo};
use crate::index_vec::TemplateId;

type Postings = IndexMap<(Str, Str), Vec<TemplateId>, FxBuildHasher>;

/// Templates by their labels, and by the labels that their affinity terms ask for.
#[derive(Debug, Clone, Default)]
pub(super) struct TemplateIndex {
    labelled: Postings,
    /// By one of the labels that a term asks for.
    asking: Postings,
    /// Templates with a term that may mean pods without any particular label.
    asking_all: Vec<TemplateId>,
}

/// A label that whoever is selected has: one of these pairs; `None` if there is no such label.
fn one_of(selector: &LabelSelector) -> Option<Vec<(Str, Str)>> {
    if let Some((key, value)) = selector.match_labels.iter().next() {
        return Some(vec![(key.clone(), value.clone())]);
    }
    one_of_requirements(&selector.match_expressions)
}

fn one_of_requirements(all: &[LabelSelectorRequirement]) -> Option<Vec<(Str, Str)>> {
    let one = all.iter().find(|one| one.operator == LabelSelectorOperator::In)?;
    let mut pairs: Vec<_> = one.values.iter().map(|v| (one.key.clone(), v.clone())).collect();
    pairs.sort();
    pairs.dedup();
    Some(pairs)
}

impl TemplateIndex {
    /// Adds a template, whose number is higher than those of all others.
    pub(super) fn push(&mut self, template: TemplateId, info: &PodInfo) {
        for (key, value) in info.pod.metadata.labels.iter() {
            self.labelled.entry((key.clone(), value.clone())).or_default().push(template);
        }
        for term in info.terms() {
            // a term without a selector means nobody
            let Some(selector) = &term.selector else { continue };
            match one_of(selector) {
                None => push_once(&mut self.asking_all, template),
                Some(pairs) => {
                    for pair in pairs {
                        push_once(self.asking.entry(pair).or_default(), template);
                    }
                }
            }
        }
    }

    /// Takes the last template off.
    pub(super) fn pop(&mut self, template: TemplateId, info: &PodInfo) {
        let take = |postings: &mut Postings, pair: &(Str, Str)| {
            if let Some(templates) = postings.get_mut(pair) {
                templates.pop_if(|last| *last == template);
            }
        };
        for (key, value) in info.pod.metadata.labels.iter() {
            take(&mut self.labelled, &(key.clone(), value.clone()));
        }
        self.asking_all.pop_if(|last| *last == template);
        for selector in info.terms().filter_map(|term| term.selector.as_ref()) {
            for pair in one_of(selector).unwrap_or_default() {
                take(&mut self.asking, &pair);
            }
        }
    }

    /// Adds the templates that a term may mean; `false` if that may be any.
    pub(super) fn meant_by(&self, term: &AffinityTerm, templates: &mut Vec<TemplateId>) -> bool {
        let Some(selector) = &term.selector else { return true };
        one_of(selector).is_some_and(|pairs| self.labelled(&pairs, templates))
    }

    /// Adds the templates that requirements may select; `false` if that may be any.
    pub(super) fn selected_by(
        &self,
        requirements: &[LabelSelectorRequirement],
        templates: &mut Vec<TemplateId>,
    ) -> bool {
        one_of_requirements(requirements).is_some_and(|pairs| self.labelled(&pairs, templates))
    }

    fn labelled(&self, pairs: &[(Str, Str)], templates: &mut Vec<TemplateId>) -> bool {
        templates.extend(pairs.iter().filter_map(|pair| self.labelled.get(pair)).flatten());
        true
    }

    /// Adds the templates with a term that may mean pods with these labels.
    pub(super) fn asking_for(&self, labels: &Labels, templates: &mut Vec<TemplateId>) {
        templates.extend(&self.asking_all);
        for (key, value) in labels.iter() {
            templates.extend(self.asking.get(&(key.clone(), value.clone())).into_iter().flatten());
        }
    }
}

fn push_once(templates: &mut Vec<TemplateId>, template: TemplateId) {
    if templates.last() != Some(&template) {
        templates.push(template);
    }
}
