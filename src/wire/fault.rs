//! Why a body is not the document that was asked for.

/// Why a body is not a document of the kind asked for, or one that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Nothing but white space.
    #[error("the body is empty")]
    Empty,
    /// More than 256 KiB.
    #[error("the body is larger than 256 KiB")]
    TooLong,
    /// UTF-32, or another encoding that no client reads.
    #[error("the encoding of the body cannot be read")]
    Encoding,
    /// A web page.
    #[error("the body is an HTML page")]
    Html,
    /// JSON.
    #[error("the body is JSON")]
    Json,
    /// Neither XML nor anything else that has a name here.
    #[error("the body is not XML")]
    NotXml,
    /// XML of another kind.
    #[error("the root element is `{name}`")]
    WrongRoot {
        /// Its local name, at most 60 characters.
        name: String,
    },
    /// Elements nested deeper than 64.
    #[error("the elements are nested deeper than 64")]
    TooDeep,
    /// More than 20,000 elements.
    #[error("the document has more than 20000 elements")]
    TooManyElements,
    /// The document ends before its root element does.
    #[error("the document ends inside `{element}`")]
    CutOff {
        /// The innermost open element, at most 60 characters.
        element: String,
    },
    /// Markup that no parser can go on after.
    #[error("the XML is broken in line {line}: {reason}")]
    Broken {
        /// Counted from 1.
        line: usize,
        /// What the parser says, at most 120 characters.
        reason: String,
    },
    /// A `clientConfig` without an `emailProvider`.
    #[error("the document has no emailProvider")]
    NoEmailProvider,
    /// An `Autodiscover` without a `Response`; a request that was echoed, for one.
    #[error("the document has no Response")]
    NoResponse,
    /// A `Response` without an `Account`, an `Action` or an `Error`.
    #[error("the Response has neither account nor error")]
    NoAccount,
    /// No server with a host name or a URL.
    #[error("the document has no usable server")]
    NoServer,
    /// A redirect that does not say where to.
    #[error("the redirect has no target")]
    NoTarget,
}

/// Cuts a text from the network to a number of characters.
pub(super) fn clip(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}
