//! The extension points of the scheduling framework, as a configuration names them.

use std::fmt;

/// An extension point of the scheduling framework.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExtensionPoint {
    /// `preEnqueue`: may a pod enter the active queue?
    PreEnqueue,
    /// `queueSort`: in which order pods are attempted.
    QueueSort,
    /// `preFilter`: what the pod needs, once a pod.
    PreFilter,
    /// `filter`: can the node run the pod?
    Filter,
    /// `postFilter`: what to do when no node can.
    PostFilter,
    /// `preScore`: what the scores need, once a pod.
    PreScore,
    /// `score`: how well the node suits the pod.
    Score,
    /// `reserve`: keep what the pod will use.
    Reserve,
    /// `permit`: hold back or deny binding.
    Permit,
    /// `preBind`: work before binding.
    PreBind,
    /// `bind`: bind the pod to the node.
    Bind,
    /// `postBind`: told after binding.
    PostBind,
}

impl ExtensionPoint {
    /// Every extension point, in the order of the fields of `Plugins`.
    pub const ALL: [Self; 12] = [
        Self::PreEnqueue,
        Self::QueueSort,
        Self::PreFilter,
        Self::Filter,
        Self::PostFilter,
        Self::PreScore,
        Self::Score,
        Self::Reserve,
        Self::Permit,
        Self::PreBind,
        Self::Bind,
        Self::PostBind,
    ];

    /// Every extension point, in the order in which kube-scheduler fills them when it builds a
    /// profile (`getExtensionPoints` in `pkg/scheduler/framework/runtime/framework.go`): which of
    /// several errors it meets first depends on it.
    pub const IN_BUILD_ORDER: [Self; 12] = [
        Self::PreFilter,
        Self::Filter,
        Self::PostFilter,
        Self::Reserve,
        Self::PreScore,
        Self::Score,
        Self::PreBind,
        Self::Bind,
        Self::PostBind,
        Self::Permit,
        Self::PreEnqueue,
        Self::QueueSort,
    ];

    /// The name of the field in `plugins`.
    pub const fn field(self) -> &'static str {
        match self {
            Self::PreEnqueue => "preEnqueue",
            Self::QueueSort => "queueSort",
            Self::PreFilter => "preFilter",
            Self::Filter => "filter",
            Self::PostFilter => "postFilter",
            Self::PreScore => "preScore",
            Self::Score => "score",
            Self::Reserve => "reserve",
            Self::Permit => "permit",
            Self::PreBind => "preBind",
            Self::Bind => "bind",
            Self::PostBind => "postBind",
        }
    }

    /// The name of the interface that a plugin implements there, as kube-scheduler's errors give it.
    pub const fn interface(self) -> &'static str {
        match self {
            Self::PreEnqueue => "PreEnqueuePlugin",
            Self::QueueSort => "QueueSortPlugin",
            Self::PreFilter => "PreFilterPlugin",
            Self::Filter => "FilterPlugin",
            Self::PostFilter => "PostFilterPlugin",
            Self::PreScore => "PreScorePlugin",
            Self::Score => "ScorePlugin",
            Self::Reserve => "ReservePlugin",
            Self::Permit => "PermitPlugin",
            Self::PreBind => "PreBindPlugin",
            Self::Bind => "BindPlugin",
            Self::PostBind => "PostBindPlugin",
        }
    }
}

impl fmt::Display for ExtensionPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.field())
    }
}

/// A set of extension points: where a plugin takes part.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct ExtensionPoints(u16);

impl ExtensionPoints {
    /// The set of `points`.
    pub const fn of(points: &[ExtensionPoint]) -> Self {
        let mut set = 0;
        let mut rest = points;
        while let Some((point, others)) = rest.split_first() {
            set |= 1 << (*point as u16);
            rest = others;
        }
        Self(set)
    }

    /// Whether `point` is in the set.
    pub const fn contains(self, point: ExtensionPoint) -> bool {
        self.0 & (1 << (point as u16)) != 0
    }

    /// The extension points of the set, in the order of the fields of `Plugins`.
    pub fn iter(self) -> impl Iterator<Item = ExtensionPoint> {
        ExtensionPoint::ALL.into_iter().filter(move |point| self.contains(*point))
    }
}

impl fmt::Debug for ExtensionPoints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl FromIterator<ExtensionPoint> for ExtensionPoints {
    fn from_iter<I: IntoIterator<Item = ExtensionPoint>>(points: I) -> Self {
        points.into_iter().fold(Self::default(), |set, point| Self(set.0 | Self::of(&[point]).0))
    }
}
