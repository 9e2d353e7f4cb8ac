//! Which templates come into question for a selector, without looking at all of them.

use bayplan_api::{LabelSelector, LabelSelectorOperator, LabelSelectorRequirement, Labels, Str};
use indexmap::IndexMap;
use rustc_hash::FxBuildHasher;

use super::pod_info::{AffinityTerm, PodInfo};
use crate::index_vec::TemplateId;

type Postings = IndexMap<(Str, Str), Vec<usize>, FxBuildHasher>;

/// Templates by their labels, and affinity terms by the labels that they ask for.
///
/// Many templates have the same labels, and many the same terms: each distinct one is held against a selector or a pod once.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct TemplateIndex {
    /// Templates by namespace and labels, in ascending order.
    alike: IndexMap<(Str, Labels), Vec<TemplateId>, FxBuildHasher>,
    /// Places in `alike` by each label.
    labelled: Postings,
    /// The distinct terms.
    terms: IndexMap<AffinityTerm, AskingTemplates, FxBuildHasher>,
    /// Places in `terms` by one of the labels that a term asks for.
    asking: Postings,
    /// Those of terms that may mean pods without any particular label.
    asking_all: Vec<usize>,
}

/// The templates that have an affinity term, each as often as it has it, in ascending order.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct AskingTemplates {
    pub(crate) required_affinity: Vec<TemplateId>,
    pub(crate) required_anti_affinity: Vec<TemplateId>,
    /// With their weights, which for anti-affinity are turned to less than zero.
    pub(crate) preferred: Vec<(i64, TemplateId)>,
}

impl AskingTemplates {
    fn is_empty(&self) -> bool {
        self.required_affinity.is_empty()
            && self.required_anti_affinity.is_empty()
            && self.preferred.is_empty()
    }
}

/// A label that whoever is selected has: one of these pairs, which have the same key; `None` if there is no such label.
fn one_of(labels: &Labels, requirements: &[LabelSelectorRequirement]) -> Option<Vec<(Str, Str)>> {
    if let Some((key, value)) = labels.iter().next() {
        return Some(vec![(key.clone(), value.clone())]);
    }
    let one = requirements.iter().find(|one| one.operator == LabelSelectorOperator::In)?;
    let mut pairs: Vec<_> = one.values.iter().map(|v| (one.key.clone(), v.clone())).collect();
    pairs.sort();
    pairs.dedup();
    Some(pairs)
}

fn one_of_selector(selector: &LabelSelector) -> Option<Vec<(Str, Str)>> {
    one_of(&selector.match_labels, &selector.match_expressions)
}

impl TemplateIndex {
    /// Adds a template, whose number is higher than those of all others.
    pub(super) fn push(&mut self, template: TemplateId, info: &PodInfo) {
        let metadata = &info.pod.metadata;
        let entry = self.alike.entry((metadata.namespace.clone(), metadata.labels.clone()));
        let place = entry.index();
        let templates = entry.or_default();
        if templates.is_empty() {
            for (key, value) in metadata.labels.iter() {
                let places = self.labelled.entry((key.clone(), value.clone())).or_default();
                places.push(place);
            }
        }
        templates.push(template);
        for term in &info.required_affinity {
            self.asking_term(term, |asking| asking.required_affinity.push(template));
        }
        for term in &info.required_anti_affinity {
            self.asking_term(term, |asking| asking.required_anti_affinity.push(template));
        }
        for (weight, term) in &info.preferred_affinity {
            self.asking_term(term, |asking| asking.preferred.push((*weight, template)));
        }
        for (weight, term) in &info.preferred_anti_affinity {
            self.asking_term(term, |asking| asking.preferred.push((-weight, template)));
        }
    }

    /// Changes a term's row, made if it is new.
    fn asking_term(&mut self, term: &AffinityTerm, add: impl FnOnce(&mut AskingTemplates)) {
        // a term without a selector means nobody
        let Some(selector) = &term.selector else { return };
        if let Some(asking) = self.terms.get_mut(term) {
            return add(asking);
        }
        let place = self.terms.len();
        match one_of_selector(selector) {
            None => self.asking_all.push(place),
            Some(pairs) => {
                for pair in pairs {
                    self.asking.entry(pair).or_default().push(place);
                }
            }
        }
        let mut asking = AskingTemplates::default();
        add(&mut asking);
        self.terms.insert(term.clone(), asking);
    }

    /// Takes the last template off.
    pub(super) fn pop(&mut self, template: TemplateId, info: &PodInfo) {
        let metadata = &info.pod.metadata;
        let key = (metadata.namespace.clone(), metadata.labels.clone());
        if let Some(templates) = self.alike.get_mut(&key) {
            templates.pop_if(|last| *last == template);
        }
        // What this template was the first to bring came last: those after it are gone.
        while let Some(last) = self.alike.last_entry().filter(|last| last.get().is_empty()) {
            let ((_, labels), _) = last.swap_remove_entry();
            for (key, value) in labels.iter() {
                pop_place(&mut self.labelled, &(key.clone(), value.clone()));
            }
        }
        for term in info.terms() {
            let Some(asking) = self.terms.get_mut(term) else { continue };
            while asking.required_affinity.pop_if(|last| *last == template).is_some() {}
            while asking.required_anti_affinity.pop_if(|last| *last == template).is_some() {}
            while asking.preferred.pop_if(|(_, last)| *last == template).is_some() {}
        }
        while let Some(last) = self.terms.last_entry().filter(|last| last.get().is_empty()) {
            let (term, _) = last.swap_remove_entry();
            match term.selector.as_ref().map(one_of_selector) {
                Some(Some(pairs)) => {
                    for pair in pairs {
                        pop_place(&mut self.asking, &pair);
                    }
                }
                Some(None) => drop(self.asking_all.pop()),
                None => {}
            }
        }
    }

    /// Groups of templates alike in namespace and labels, among them all that such a selector may select.
    pub(super) fn alike_for(
        &self,
        labels: &Labels,
        requirements: &[LabelSelectorRequirement],
    ) -> Vec<&[TemplateId]> {
        match one_of(labels, requirements) {
            None => self.alike.values().map(Vec::as_slice).collect(),
            Some(pairs) => pairs
                .iter()
                .filter_map(|pair| self.labelled.get(pair))
                .flatten()
                .filter_map(|&place| Some(self.alike.get_index(place)?.1.as_slice()))
                .collect(),
        }
    }

    /// The distinct terms, among them all that may mean pods with these labels.
    pub(super) fn terms_about(
        &self,
        labels: &Labels,
    ) -> impl Iterator<Item = (&AffinityTerm, &AskingTemplates)> {
        let pairs = labels.iter().map(|(key, value)| (key.clone(), value.clone()));
        let asking = pairs.filter_map(|pair| self.asking.get(&pair)).flatten();
        let places = self.asking_all.iter().chain(asking);
        places.filter_map(|&place| self.terms.get_index(place))
    }
}

/// Takes off the place that came last under a pair, and the pair with its last place.
fn pop_place(postings: &mut Postings, pair: &(Str, Str)) {
    if let Some(places) = postings.get_mut(pair) {
        places.pop();
        if places.is_empty() {
            postings.swap_remove(pair);
        }
    }
}

#[cfg(test)]
mod tests {
    use bayplan_testkit::strategies::{PodShape, pod};
    use proptest::prelude::*;

    use super::*;
    use crate::index_vec::Idx;
    use crate::resource::Resources;

    proptest! {
        #[test]
        fn templates_that_are_taken_off_leave_nothing(
            pods in proptest::collection::vec(pod(PodShape::Pending), 1..12), kept in 0..12_usize,
        ) {
            let mut resources = Resources::default();
            let infos: Vec<PodInfo> =
                pods.iter().map(|pod| PodInfo::new(&mut resources, PodInfo::template_of(pod))).collect();
            let mut index = TemplateIndex::default();
            let mut before = index.clone();
            for (number, info) in infos.iter().enumerate() {
                if number == kept {
                    before = index.clone();
                }
                index.push(TemplateId::from_index(number), info);
            }
            if kept >= infos.len() {
                before = index.clone();
            }
            for (number, info) in infos.iter().enumerate().skip(kept).rev() {
                index.pop(TemplateId::from_index(number), info);
            }
            prop_assert_eq!(&index, &before);
            // places are positions
            prop_assert_eq!(index.terms.as_slice(), before.terms.as_slice());
            prop_assert_eq!(index.alike.as_slice(), before.alike.as_slice());
        }
    }
}
