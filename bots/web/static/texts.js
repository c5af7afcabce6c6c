/** What the page itself says, by language; june's answers and notices come from the server. */

const ALL = {
  en: {
    skip: "Skip to the talk button", settings: "Settings", conversation: "Conversation", hello: "Hello, I'm june.",
    introduction: "Hold the button and ask me something. What you say stays on your own machines.",
    password: "Password", enter: "Enter", talk: "Talk", stop: "Stop", write: "Write a message", placeholder: "Or write …",
    send: "Send", how: "Hold to talk, or tap to start and tap to send", replies: "Spoken replies",
    "mode-on": "When I speak", "mode-always": "Always", "mode-off": "Never, text only",
    "spoken-language": "Language I speak", auto: "june finds out", new: "Start over", forget: "Delete everything",
    inside: "This conversation in Temporal", commands: "You can also write commands, such as /help.", close: "Close",
    idle: "", listening: "Listening …", "how-listening": "{time} · let go, or tap, to send", sending: "Sending …", line: "In line, {ahead} before you", fetch: "Reading your recording …",
    transcribe: "Understanding what you said …", wait: "Answering your earlier message first …", infer: "Thinking …",
    synthesize: "Getting my voice ready …", reply: "Almost there …", speaking: "Speaking …", replay: "Play", again: "Send again", "replay-this": "Play the answer again",
    details: "Details", "details-of": "This turn in Temporal", seconds: "{seconds} s",
    "no-microphone": "I can't find a microphone here. You can write to me instead.",
    "microphone-denied": "This page may not use the microphone. Allow it in the browser's settings, or write to me.",
    "microphone-insecure": "Browsers allow the microphone only on https or localhost. You can write to me instead.",
    "microphone-ready": "The microphone is ready. Hold to talk.", "too-short": "That was a little short. Hold the button while you talk.",
    "too-large": "That recording is too large.", unsent: "That wasn't sent. Please try again.", "out-of-reach": "I can't reach june. Still trying …",
    "wrong-password": "That isn't the password.", "wait-password": "Too many tries. Please wait {seconds} s.",
    "confirm-forget": "Delete everything june has from this conversation: memory, recordings and history?", unplayable: "I can't play that recording any more.",
  },
  de: {
    skip: "Zum Sprechknopf springen", settings: "Einstellungen", conversation: "Gespräch", hello: "Hallo, ich bin june.",
    introduction: "Halte den Knopf und frag mich etwas. Was du sagst, bleibt auf deinen eigenen Rechnern.",
    password: "Passwort", enter: "Öffnen", talk: "Sprechen", stop: "Stopp", write: "Nachricht schreiben", placeholder: "Oder schreiben …",
    send: "Senden", how: "Zum Sprechen halten, oder tippen und zum Senden noch einmal tippen", replies: "Gesprochene Antworten",
    "mode-on": "Wenn ich spreche", "mode-always": "Immer", "mode-off": "Nie, nur Text",
    "spoken-language": "Sprache, die ich spreche", auto: "june erkennt sie", new: "Neu anfangen", forget: "Alles löschen",
    inside: "Dieses Gespräch in Temporal", commands: "Du kannst auch Befehle schreiben, etwa /help.", close: "Schließen",
    idle: "", listening: "Ich höre zu …", "how-listening": "{time} · loslassen oder tippen zum Senden", sending: "Wird gesendet …", line: "In der Reihe, {ahead} vor dir", fetch: "Ich lese deine Aufnahme …",
    transcribe: "Ich verstehe, was du gesagt hast …", wait: "Ich beantworte noch deine Nachricht davor …", infer: "Ich denke nach …",
    synthesize: "Ich bereite meine Stimme vor …", reply: "Gleich …", speaking: "Ich spreche …", replay: "Anhören", again: "Noch einmal senden", "replay-this": "Die Antwort noch einmal anhören",
    details: "Einzelheiten", "details-of": "Diese Nachricht in Temporal", seconds: "{seconds} s",
    "no-microphone": "Ich finde hier kein Mikrofon. Du kannst mir schreiben.",
    "microphone-denied": "Diese Seite darf das Mikrofon nicht benutzen. Erlaube es in den Einstellungen des Browsers, oder schreib mir.",
    "microphone-insecure": "Browser geben das Mikrofon nur für https oder localhost frei. Du kannst mir schreiben.",
    "microphone-ready": "Das Mikrofon ist bereit. Zum Sprechen halten.", "too-short": "Das war zu kurz. Halte den Knopf, während du sprichst.",
    "too-large": "Diese Aufnahme ist zu groß.", unsent: "Das wurde nicht gesendet. Bitte versuch es noch einmal.", "out-of-reach": "Ich erreiche june nicht. Ich versuche es weiter …",
    "wrong-password": "Das ist nicht das Passwort.", "wait-password": "Zu viele Versuche. Bitte warte {seconds} s.",
    "confirm-forget": "Alles löschen, was june aus diesem Gespräch hat: Erinnerung, Aufnahmen und Protokolle?", unplayable: "Diese Aufnahme kann ich nicht mehr abspielen.",
  },
  es: {
    skip: "Ir al botón de hablar", settings: "Ajustes", conversation: "Conversación", hello: "Hola, soy june.",
    introduction: "Mantén el botón y pregúntame algo. Lo que digas se queda en tus propias máquinas.",
    password: "Contraseña", enter: "Entrar", talk: "Hablar", stop: "Parar", write: "Escribir un mensaje", placeholder: "O escribe …",
    send: "Enviar", how: "Mantén para hablar, o toca para empezar y toca para enviar", replies: "Respuestas habladas",
    "mode-on": "Cuando hablo", "mode-always": "Siempre", "mode-off": "Nunca, solo texto",
    "spoken-language": "Idioma que hablo", auto: "june lo detecta", new: "Empezar de nuevo", forget: "Borrar todo",
    inside: "Esta conversación en Temporal", commands: "También puedes escribir comandos, como /help.", close: "Cerrar",
    idle: "", listening: "Escucho …", "how-listening": "{time} · suelta o toca para enviar", sending: "Enviando …", line: "En cola, {ahead} antes que tú", fetch: "Leo tu grabación …",
    transcribe: "Entiendo lo que has dicho …", wait: "Primero respondo a tu mensaje anterior …", infer: "Pienso …",
    synthesize: "Preparo mi voz …", reply: "Ya casi …", speaking: "Hablo …", replay: "Escuchar", again: "Enviar otra vez", "replay-this": "Escuchar otra vez la respuesta",
    details: "Detalles", "details-of": "Este mensaje en Temporal", seconds: "{seconds} s",
    "no-microphone": "No encuentro ningún micrófono. Puedes escribirme.",
    "microphone-denied": "Esta página no puede usar el micrófono. Permítelo en los ajustes del navegador, o escríbeme.",
    "microphone-insecure": "Los navegadores solo dan el micrófono a https o localhost. Puedes escribirme.",
    "microphone-ready": "El micrófono está listo. Mantén para hablar.", "too-short": "Ha sido muy corto. Mantén el botón mientras hablas.",
    "too-large": "Esa grabación es demasiado grande.", unsent: "No se ha enviado. Inténtalo otra vez.", "out-of-reach": "No alcanzo a june. Sigo intentándolo …",
    "wrong-password": "Esa no es la contraseña.", "wait-password": "Demasiados intentos. Espera {seconds} s.",
    "confirm-forget": "¿Borrar todo lo que june guarda de esta conversación: memoria, grabaciones y registros?", unplayable: "Ya no puedo reproducir esa grabación.",
  },
  fr: {
    skip: "Aller au bouton pour parler", settings: "Réglages", conversation: "Conversation", hello: "Bonjour, je suis june.",
    introduction: "Maintiens le bouton et pose-moi une question. Ce que tu dis reste sur tes propres machines.",
    password: "Mot de passe", enter: "Entrer", talk: "Parler", stop: "Arrêter", write: "Écrire un message", placeholder: "Ou écris …",
    send: "Envoyer", how: "Maintiens pour parler, ou touche pour commencer et touche pour envoyer", replies: "Réponses parlées",
    "mode-on": "Quand je parle", "mode-always": "Toujours", "mode-off": "Jamais, texte seul",
    "spoken-language": "Langue que je parle", auto: "june la détecte", new: "Recommencer", forget: "Tout effacer",
    inside: "Cette conversation dans Temporal", commands: "Tu peux aussi écrire des commandes, comme /help.", close: "Fermer",
    idle: "", listening: "J'écoute …", "how-listening": "{time} · relâche ou touche pour envoyer", sending: "Envoi …", line: "En attente, {ahead} avant toi", fetch: "Je lis ton enregistrement …",
    transcribe: "Je comprends ce que tu as dit …", wait: "Je réponds d'abord à ton message précédent …", infer: "Je réfléchis …",
    synthesize: "Je prépare ma voix …", reply: "Presque …", speaking: "Je parle …", replay: "Écouter", again: "Renvoyer", "replay-this": "Réécouter la réponse",
    details: "Détails", "details-of": "Ce message dans Temporal", seconds: "{seconds} s",
    "no-microphone": "Je ne trouve pas de micro ici. Tu peux m'écrire.",
    "microphone-denied": "Cette page n'a pas le droit d'utiliser le micro. Autorise-le dans les réglages du navigateur, ou écris-moi.",
    "microphone-insecure": "Les navigateurs ne donnent le micro qu'à https ou localhost. Tu peux m'écrire.",
    "microphone-ready": "Le micro est prêt. Maintiens pour parler.", "too-short": "C'était trop court. Maintiens le bouton pendant que tu parles.",
    "too-large": "Cet enregistrement est trop volumineux.", unsent: "Cela n'a pas été envoyé. Réessaie.", "out-of-reach": "Je n'arrive pas à joindre june. J'essaie encore …",
    "wrong-password": "Ce n'est pas le mot de passe.", "wait-password": "Trop d'essais. Attends {seconds} s.",
    "confirm-forget": "Effacer tout ce que june garde de cette conversation : mémoire, enregistrements et journaux ?", unplayable: "Je ne peux plus lire cet enregistrement.",
  },
};

export const language = navigator.languages.map((code) => code.slice(0, 2)).find((code) => code in ALL) ?? "en";
const own = { ...ALL.en, ...ALL[language] };

/** Give a text of the page in the user's language, with its figures. */
export function text(key, figures = {}) {
  return (own[key] ?? key).replace(/\{(\w+)\}/g, (_, name) => figures[name] ?? "…");
}

/** Put the page's fixed texts in the user's language. */
export function translate(root = document) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-text]")) element.textContent = text(element.dataset.text);
  for (const element of root.querySelectorAll("[data-label]")) element.setAttribute("aria-label", text(element.dataset.label));
  for (const element of root.querySelectorAll("[data-placeholder]")) element.placeholder = text(element.dataset.placeholder);
}

/** Name a spoken language in the user's language. */
export function languageName(code) {
  const name = new Intl.DisplayNames([language], { type: "language" }).of(code);
  return name ? name.charAt(0).toLocaleUpperCase(language) + name.slice(1) : code;
}
