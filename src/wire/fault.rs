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
    /// XML that is no web page, where JSON was asked for.
    #[error("the body is XML")]
    Xml,
    /// Neither JSON nor anything else that has a name here.
    #[error("the body is not JSON")]
    NotJson,
    /// JSON that ends before it is complete.
    #[error("the JSON ends in the middle")]
    JsonCutOff,
    /// JSON that no parser can go on after.
    #[error("the JSON is broken in line {line}: {reason}")]
    JsonBroken {
        /// Counted from 1.
        line: usize,
        /// What the parser says, at most 120 characters.
        reason: String,
    },
    /// JSON, and an array, a text or a number.
    #[error("the JSON is no object")]
    NoObject,
    /// An object without a member that the format requires.
    #[error("the document has no `{name}`")]
    NoMember {
        /// As the format writes it.
        name: &'static str,
    },
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
    /// A target that is no `https` URL.
    #[error("`{name}` is no https URL")]
    NotHttps {
        /// The member, element or header that holds it.
        name: &'static str,
    },
    /// A mobilesync `Response` without an `Action` or an `Error`.
    #[error("the Response has neither action nor error")]
    NoAction,
    /// A SOAP envelope that holds no answer of the kind asked for: another operation's, a request that was echoed.
    #[error("the envelope has no {name}")]
    NoMessage {
        /// The element that was looked for.
        name: &'static str,
    },
    /// More answers than there were questions: which belongs to whom cannot be told.
    #[error("{given} answers for {asked} addresses")]
    TooManyAnswers {
        /// Addresses that were asked about.
        asked: usize,
        /// Answers that came.
        given: usize,
    },
    /// An HTTP status that says nothing about the question.
    #[error("the server answered {status}")]
    Status {
        /// 100 to 599.
        status: u16,
    },
}

/// Cuts a text from the network to a number of characters.
pub(super) fn clip(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}
