/** What the page itself says, by language; june's answers and notices come from the server. */

const ALL = {
  en: {
    skip: "Skip to the talk button", settings: "Settings", conversation: "Conversation", hello: "Hello, I'm june.",
    introduction: "Hold the button and ask me something, or switch on hands-free and just talk. What you say stays on your own machines.",
    password: "Password", enter: "Enter", talk: "Talk", stop: "Stop", write: "Write a message", placeholder: "Or write …",
    send: "Send", how: "Hold to talk, or tap", replies: "Spoken replies",
    "mode-on": "When I speak", "mode-always": "Always", "mode-off": "Never, text only",
    "spoken-language": "Language I speak", auto: "Recognised by itself", new: "Start afresh", forget: "Delete everything",
    inside: "This conversation in Temporal", commands: "You can also write commands, such as /help.", close: "Close",
    idle: "", listening: "Listening …", "how-listening": "{time} · let go, or tap, to send", sending: "Sending …", line: "Your turn comes soon: {ahead} before you", fetch: "Reading your recording …",
    transcribe: "Understanding what you said …", wait: "Answering your earlier message first …", infer: "Thinking …", think: "Thinking it over; that may take a while …", late: "This is taking longer than usual. I'm still on it …",
    synthesize: "Getting my voice ready …", reply: "Almost there …", speaking: "Speaking …", replay: "Play", again: "Send again", "replay-this": "Play: the answer again",
    details: "Details", "details-of": "Details: this turn in Temporal", seconds: "{seconds} s",
    "no-microphone": "I can't find a microphone here. You can write to me instead.",
    "microphone-denied": "This page may not use the microphone. Allow it in the browser's settings, or write to me.",
    "microphone-insecure": "Browsers allow the microphone only on https or localhost. You can write to me instead.",
    "microphone-ready": "The microphone is ready. Hold to talk.", "too-short": "That was a little short. Hold the button while you talk.",
    "too-large": "That recording is too large.", unsent: "That wasn't sent. Please try again.", "out-of-reach": "I can't reach june. Still trying …",
    "wrong-password": "That isn't the password.", "wait-password": "Too many tries. Please wait {seconds} s.",
    "confirm-forget": "Delete everything june has from this conversation: memory, recordings and history?", unplayable: "I can't play that recording any more.",
    "hands-free": "Hands-free", "hands-free-on": "Listening. Just talk.", cancel: "Cancel", "slide-cancel": "Slide to cancel", "slide-lock": "Slide to keep going",
    arming: "One moment …", "speaking-user": "I hear you …", interrupted: "Go on …", "still-thinking": "Still thinking …", done: "Done.",
    you: "You:", heard: "What I heard", "listen-recording": "Listen to your recording", "stop-listening": "Stop playing your recording",
    draft: "Not sent", "not-sent-yet": "Not sent yet", discard: "Discard", cancelled: "Cancelled.", undo: "Undo",
    stopped: "Stopped", "stopped-partly": "Stopped. The pale part was not spoken.", copy: "Copy the answer", copied: "Copied", "copy-code": "Copy", code: "Code", table: "Table",
    download: "Download the spoken answer", "ask-again": "Ask again", newest: "To the newest", offline: "You are offline. What you say is kept until june can be reached.",
    voice: "june's voice", "voice-auto": "Fits the language", slow: "I speak slowly", "slow-hint": "Hands-free, june then waits longer before it answers.",
    "microphone-lost": "The microphone is gone ({device}). What you said is kept.", "another-tab": "Another tab is listening now.",
    "hands-free-off": "Hands-free is off: I heard nothing for a minute.", "no-detector": "This browser can't listen hands-free. Hold the button instead.", "tap-to-hear": "Tap anywhere to hear me.",
    "example-1": "What can you help me with?", "example-2": "Explain how tides work", "example-3": "Three ideas for a quick dinner",
  },
  de: {
    skip: "Zum Sprechknopf springen", settings: "Einstellungen", conversation: "Gespräch", hello: "Hallo, ich bin june.",
    introduction: "Halte den Knopf und frag mich etwas, oder schalte Freisprechen ein und sprich einfach. Was du sagst, bleibt auf deinen eigenen Rechnern.",
    password: "Passwort", enter: "Öffnen", talk: "Sprechen", stop: "Stopp", write: "Nachricht schreiben", placeholder: "Oder schreiben …",
    send: "Senden", how: "Zum Sprechen halten oder tippen", replies: "Gesprochene Antworten",
    "mode-on": "Wenn ich spreche", "mode-always": "Immer", "mode-off": "Nie, nur Text",
    "spoken-language": "Sprache, die ich spreche", auto: "Wird von selbst erkannt", new: "Neu anfangen", forget: "Alles löschen",
    inside: "Dieses Gespräch in Temporal", commands: "Du kannst auch Befehle schreiben, etwa /help.", close: "Schließen",
    idle: "", listening: "Ich höre zu …", "how-listening": "{time} · zum Senden loslassen oder tippen", sending: "Wird gesendet …", line: "Gleich bist du dran: {ahead} vor dir", fetch: "Ich lese deine Aufnahme …",
    transcribe: "Ich verstehe, was du gesagt hast …", wait: "Ich beantworte noch deine Nachricht davor …", infer: "Ich denke nach …", think: "Ich denke gründlich nach; das kann dauern …", late: "Das dauert länger als sonst. Ich bin noch dabei …",
    synthesize: "Ich bereite meine Stimme vor …", reply: "Gleich …", speaking: "Ich spreche …", replay: "Anhören", again: "Noch einmal senden", "replay-this": "Anhören: die Antwort noch einmal",
    details: "Einzelheiten", "details-of": "Einzelheiten: diese Nachricht in Temporal", seconds: "{seconds} s",
    "no-microphone": "Ich finde hier kein Mikrofon. Du kannst mir schreiben.",
    "microphone-denied": "Diese Seite darf das Mikrofon nicht benutzen. Erlaube es in den Einstellungen des Browsers, oder schreib mir.",
    "microphone-insecure": "Browser geben das Mikrofon nur für https oder localhost frei. Du kannst mir schreiben.",
    "microphone-ready": "Das Mikrofon ist bereit. Zum Sprechen halten.", "too-short": "Das war zu kurz. Halte den Knopf, während du sprichst.",
    "too-large": "Diese Aufnahme ist zu groß.", unsent: "Das wurde nicht gesendet. Bitte versuch es noch einmal.", "out-of-reach": "Ich erreiche june nicht. Ich versuche es weiter …",
    "wrong-password": "Das ist nicht das Passwort.", "wait-password": "Zu viele Versuche. Bitte warte {seconds} s.",
    "confirm-forget": "Alles löschen, was june aus diesem Gespräch hat: Erinnerung, Aufnahmen und Protokolle?", unplayable: "Diese Aufnahme kann ich nicht mehr abspielen.",
    "hands-free": "Freisprechen", "hands-free-on": "Ich höre zu. Sprich einfach.", cancel: "Abbrechen", "slide-cancel": "Wischen zum Abbrechen", "slide-lock": "Wischen zum Weiterreden",
    arming: "Einen Moment …", "speaking-user": "Ich höre dich …", interrupted: "Sprich weiter …", "still-thinking": "Ich denke noch nach …", done: "Fertig.",
    you: "Du:", heard: "Was ich verstanden habe", "listen-recording": "Deine Aufnahme anhören", "stop-listening": "Deine Aufnahme anhalten",
    draft: "Nicht gesendet", "not-sent-yet": "Noch nicht gesendet", discard: "Verwerfen", cancelled: "Abgebrochen.", undo: "Rückgängig",
    stopped: "Angehalten", "stopped-partly": "Angehalten. Das Blasse wurde nicht vorgelesen.", copy: "Die Antwort kopieren", copied: "Kopiert", "copy-code": "Kopieren", code: "Code", table: "Tabelle",
    download: "Die gesprochene Antwort herunterladen", "ask-again": "Noch einmal fragen", newest: "Zum Neuesten", offline: "Du bist offline. Was du sagst, bleibt hier, bis june erreichbar ist.",
    voice: "Stimme von june", "voice-auto": "Passend zur Sprache", slow: "Ich spreche langsam", "slow-hint": "Beim Freisprechen wartet june dann länger, bevor es antwortet.",
    "microphone-lost": "Das Mikrofon ist weg ({device}). Was du gesagt hast, bleibt hier.", "another-tab": "Jetzt hört ein anderer Tab zu.",
    "hands-free-off": "Freisprechen ist aus: Ich habe eine Minute lang nichts gehört.", "no-detector": "Dieser Browser kann nicht freisprechen. Halte stattdessen den Knopf.", "tap-to-hear": "Tippe irgendwohin, um mich zu hören.",
    "example-1": "Wobei kannst du mir helfen?", "example-2": "Erklär mir Ebbe und Flut", "example-3": "Drei Ideen für ein schnelles Abendessen",
  },
  es: {
    skip: "Ir al botón de hablar", settings: "Ajustes", conversation: "Conversación", hello: "Hola, soy june.",
    introduction: "Mantén pulsado el botón y pregúntame algo, o activa manos libres y habla sin más. Lo que digas se queda en tus propias máquinas.",
    password: "Contraseña", enter: "Entrar", talk: "Hablar", stop: "Parar", write: "Escribir un mensaje", placeholder: "O escribe …",
    send: "Enviar", how: "Mantén pulsado para hablar, o toca", replies: "Respuestas habladas",
    "mode-on": "Cuando hablo", "mode-always": "Siempre", "mode-off": "Nunca, solo texto",
    "spoken-language": "Idioma que hablo", auto: "Se detecta solo", new: "Empezar de nuevo", forget: "Borrar todo",
    inside: "Esta conversación en Temporal", commands: "También puedes escribir comandos, como /help.", close: "Cerrar",
    idle: "", listening: "Te escucho …", "how-listening": "{time} · suelta o toca para enviar", sending: "Enviando …", line: "Pronto te toca: {ahead} antes que tú", fetch: "Leyendo tu grabación …",
    transcribe: "Escuchando lo que has dicho …", wait: "Primero respondo a tu mensaje anterior …", infer: "Pensando …", think: "Lo estoy pensando bien; puede tardar …", late: "Esto está tardando más de lo normal. Sigo en ello …",
    synthesize: "Preparando mi voz …", reply: "Ya casi …", speaking: "Hablando …", replay: "Escuchar", again: "Enviar otra vez", "replay-this": "Escuchar: la respuesta otra vez",
    details: "Detalles", "details-of": "Detalles: este mensaje en Temporal", seconds: "{seconds} s",
    "no-microphone": "No encuentro ningún micrófono. Puedes escribirme.",
    "microphone-denied": "Esta página no puede usar el micrófono. Permítelo en los ajustes del navegador, o escríbeme.",
    "microphone-insecure": "Los navegadores solo dan el micrófono a https o localhost. Puedes escribirme.",
    "microphone-ready": "El micrófono está listo. Mantén para hablar.", "too-short": "Ha sido muy corto. Mantén el botón mientras hablas.",
    "too-large": "Esa grabación es demasiado grande.", unsent: "No se ha enviado. Inténtalo otra vez.", "out-of-reach": "No consigo conectar con june. Sigo intentándolo …",
    "wrong-password": "Esa no es la contraseña.", "wait-password": "Demasiados intentos. Espera {seconds} s.",
    "confirm-forget": "¿Borrar todo lo que june guarda de esta conversación: memoria, grabaciones y registros?", unplayable: "Ya no puedo reproducir esa grabación.",
    "hands-free": "Manos libres", "hands-free-on": "Te escucho. Habla sin más.", cancel: "Cancelar", "slide-cancel": "Desliza para cancelar", "slide-lock": "Desliza para seguir",
    arming: "Un momento …", "speaking-user": "Te oigo …", interrupted: "Sigue …", "still-thinking": "Sigo pensando …", done: "Listo.",
    you: "Tú:", heard: "Lo que he entendido", "listen-recording": "Escuchar tu grabación", "stop-listening": "Detener tu grabación",
    draft: "Sin enviar", "not-sent-yet": "Aún sin enviar", discard: "Descartar", cancelled: "Cancelado.", undo: "Deshacer",
    stopped: "Detenido", "stopped-partly": "Detenido. Lo más claro no se ha leído en voz alta.", copy: "Copiar la respuesta", copied: "Copiado", "copy-code": "Copiar", code: "Código", table: "Tabla",
    download: "Descargar la respuesta hablada", "ask-again": "Preguntar otra vez", newest: "A lo más reciente", offline: "No tienes conexión. Lo que digas se guarda hasta que june responda.",
    voice: "Voz de june", "voice-auto": "Según el idioma", slow: "Hablo despacio", "slow-hint": "Con manos libres, june espera más antes de responder.",
    "microphone-lost": "El micrófono ya no está ({device}). Lo que has dicho se conserva.", "another-tab": "Ahora escucha otra pestaña.",
    "hands-free-off": "Manos libres desactivado: no he oído nada en un minuto.", "no-detector": "Este navegador no puede escuchar sin manos. Mantén pulsado el botón.", "tap-to-hear": "Toca en cualquier sitio para oírme.",
    "example-1": "¿En qué puedes ayudarme?", "example-2": "Explícame las mareas", "example-3": "Tres ideas para una cena rápida",
  },
  fr: {
    skip: "Aller au bouton pour parler", settings: "Réglages", conversation: "Conversation", hello: "Bonjour, je suis june.",
    introduction: "Maintiens le bouton et pose-moi une question, ou active les mains libres et parle. Ce que tu dis reste sur tes propres machines.",
    password: "Mot de passe", enter: "Entrer", talk: "Parler", stop: "Arrêter", write: "Écrire un message", placeholder: "Ou écris …",
    send: "Envoyer", how: "Maintiens pour parler, ou touche", replies: "Réponses parlées",
    "mode-on": "Quand je parle", "mode-always": "Toujours", "mode-off": "Jamais, texte seul",
    "spoken-language": "Langue que je parle", auto: "Reconnue toute seule", new: "Recommencer", forget: "Tout effacer",
    inside: "Cette conversation dans Temporal", commands: "Tu peux aussi écrire des commandes, comme /help.", close: "Fermer",
    idle: "", listening: "J'écoute …", "how-listening": "{time} · relâche ou touche pour envoyer", sending: "Envoi …", line: "Bientôt ton tour : {ahead} avant toi", fetch: "Je lis ton enregistrement …",
    transcribe: "J'écoute ce que tu as dit …", wait: "Je réponds d'abord à ton message précédent …", infer: "Je réfléchis …", think: "Je réfléchis bien ; cela peut prendre un moment …", late: "Cela prend plus de temps que d'habitude. Je m'en occupe toujours …",
    synthesize: "Je prépare ma voix …", reply: "Presque …", speaking: "Je parle …", replay: "Écouter", again: "Renvoyer", "replay-this": "Écouter : la réponse encore une fois",
    details: "Détails", "details-of": "Détails : ce message dans Temporal", seconds: "{seconds} s",
    "no-microphone": "Je ne trouve pas de micro ici. Tu peux m'écrire.",
    "microphone-denied": "Cette page n'a pas le droit d'utiliser le micro. Autorise-le dans les réglages du navigateur, ou écris-moi.",
    "microphone-insecure": "Les navigateurs ne donnent le micro qu'à https ou localhost. Tu peux m'écrire.",
    "microphone-ready": "Le micro est prêt. Maintiens pour parler.", "too-short": "C'était trop court. Maintiens le bouton pendant que tu parles.",
    "too-large": "Cet enregistrement est trop volumineux.", unsent: "Cela n'a pas été envoyé. Réessaie.", "out-of-reach": "Je n'arrive pas à joindre june. J'essaie encore …",
    "wrong-password": "Ce n'est pas le mot de passe.", "wait-password": "Trop d'essais. Attends {seconds} s.",
    "confirm-forget": "Effacer tout ce que june garde de cette conversation : mémoire, enregistrements et journaux ?", unplayable: "Je ne peux plus lire cet enregistrement.",
    "hands-free": "Mains libres", "hands-free-on": "J'écoute. Parle simplement.", cancel: "Annuler", "slide-cancel": "Glisse pour annuler", "slide-lock": "Glisse pour continuer",
    arming: "Un instant …", "speaking-user": "Je t'entends …", interrupted: "Continue …", "still-thinking": "Je réfléchis encore …", done: "C'est fait.",
    you: "Toi :", heard: "Ce que j'ai compris", "listen-recording": "Écouter ton enregistrement", "stop-listening": "Arrêter ton enregistrement",
    draft: "Non envoyé", "not-sent-yet": "Pas encore envoyé", discard: "Supprimer", cancelled: "Annulé.", undo: "Rétablir",
    stopped: "Arrêté", "stopped-partly": "Arrêté. La partie pâle n'a pas été lue.", copy: "Copier la réponse", copied: "Copié", "copy-code": "Copier", code: "Code", table: "Tableau",
    download: "Télécharger la réponse parlée", "ask-again": "Demander encore", newest: "Au plus récent", offline: "Tu es hors ligne. Ce que tu dis est gardé jusqu'à ce que june réponde.",
    voice: "Voix de june", "voice-auto": "Selon la langue", slow: "Je parle lentement", "slow-hint": "En mains libres, june attend alors plus longtemps avant de répondre.",
    "microphone-lost": "Le micro a disparu ({device}). Ce que tu as dit est gardé.", "another-tab": "Un autre onglet écoute maintenant.",
    "hands-free-off": "Mains libres désactivé : je n'ai rien entendu pendant une minute.", "no-detector": "Ce navigateur ne peut pas écouter en mains libres. Maintiens plutôt le bouton.", "tap-to-hear": "Touche n'importe où pour m'entendre.",
    "example-1": "En quoi peux-tu m'aider ?", "example-2": "Explique-moi les marées", "example-3": "Trois idées pour un dîner rapide",
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

/** Name one of june's voices (`en_US-joe-medium`) in the user's language. */
export function voiceName(code) {
  const [, spoken, country, name] = /^([a-z]{2,3})_([A-Z]{2})-([^-]+)/.exec(code) ?? [];
  if (!name) return code;
  const named = name.split("_").map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join(" ");
  const region = new Intl.DisplayNames([language], { type: "language" }).of(`${spoken}-${country}`);
  return `${named} (${region})`;
}
