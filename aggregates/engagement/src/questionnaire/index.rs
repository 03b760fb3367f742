use std::collections::BTreeMap;

use kernel::{QuestionId, VerticalId, formula::Reference};

use super::{Question, SubQuestion};

/// The questions by id and by code, made once for a calculation.
#[derive(Debug, Clone)]
pub struct Index<'a> {
    by_id: BTreeMap<QuestionId, &'a Question>,
    by_code: BTreeMap<String, Vec<&'a Question>>,
}

/// What a reference means.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    pub question: &'a Question,
    /// Present for `{CODE.sub_key}`.
    pub part: Option<&'a SubQuestion>,
}

/// Which of several questions of one code somebody in `vertical` means.
pub(super) fn chosen<'a>(all: &[&'a Question], vertical: Option<VerticalId>) -> Option<&'a Question> {
    all.iter()
        .find(|question| question.vertical_id() == vertical)
        .or_else(|| all.iter().find(|question| question.vertical.is_none()))
        .or(if let [only] = all { Some(only) } else { None })
        .copied()
}

impl<'a> Index<'a> {
    pub fn new(questions: impl IntoIterator<Item = &'a Question>) -> Self {
        let (mut by_id, mut by_code) = (BTreeMap::new(), BTreeMap::<String, Vec<&'a Question>>::new());
        for question in questions {
            by_id.insert(question.id, question);
            by_code.entry(question.code.key()).or_default().push(question);
        }
        Self { by_id, by_code }
    }

    #[must_use]
    pub fn question(&self, id: QuestionId) -> Option<&'a Question> {
        self.by_id.get(&id).copied()
    }

    /// What a code means to somebody in `vertical`: the question of that vertical, else the shared one, else the only
    /// one of that code.
    #[must_use]
    pub fn named(&self, vertical: Option<VerticalId>, code: &str) -> Option<&'a Question> {
        chosen(self.by_code.get(&code.trim().to_lowercase())?, vertical)
    }

    /// What a code, or a code with a sub-key, means to somebody in `vertical`. The whole is tried as a code first,
    /// because a code may hold dots.
    #[must_use]
    pub fn target(&self, vertical: Option<VerticalId>, text: &str) -> Option<Target<'a>> {
        if let Some(question) = self.named(vertical, text) {
            return Some(Target { question, part: None });
        }
        let (code, key) = text.rsplit_once('.')?;
        let question = self.named(vertical, code)?;
        let key = key.trim().to_lowercase();
        question
            .sub_questions
            .iter()
            .find(|part| part.key.key() == key)
            .map(|part| Target { question, part: Some(part) })
    }

    /// As [`Index::target`], for a formula's reference.
    #[must_use]
    pub fn referred(&self, vertical: Option<VerticalId>, reference: &Reference) -> Option<Target<'a>> {
        self.target(vertical, reference.key())
    }

    /// How a question is called where its code alone could mean several.
    #[must_use]
    pub fn label(&self, question: &Question) -> String {
        let several = self.by_code.get(&question.code.key()).is_some_and(|all| all.len() > 1);
        match &question.vertical {
            Some(vertical) if several => format!("{}.{}", vertical.code, question.code),
            _ => question.code.to_string(),
        }
    }
}
