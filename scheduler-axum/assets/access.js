// Asks for a token if the server requires one.

import { onUnauthorized, setToken, token } from "./api.js";
import { field, invalid, openDialog } from "./dialog.js";
import { h } from "./dom.js";

/** `button` lets the user enter or remove a token; `changed()` is called after either. */
export function guardAccess(button, changed) {
  let declined = false;

  function show() {
    const has = token() !== null;
    button.hidden = !has && !declined;
    button.textContent = has ? "Forget token" : "Enter token";
  }

  async function ask(refused) {
    if (refused) setToken(null);
    if (declined && !refused) return false;
    const input = h("input", { type: "password", "data-testid": "token", autocomplete: "off", spellcheck: "false", required: true });
    const answer = await openDialog({
      testid: "token-dialog", title: "A token is needed", action: "Continue",
      body: [
        refused && h("p", { class: "warning" }, "The server no longer accepts the token."),
        field("token", "Token", input, "It is kept in this tab only, until it is closed. Or sign in to the application and reload."),
      ],
      async submit() {
        const text = input.value.trim();
        if (text === "") throw invalid("token", "Enter a token");
        if (!/^[\x21-\x7e]+$/.test(text)) throw invalid("token", "A token has no blanks and only ASCII characters");
        let response;
        try {
          response = await fetch("api/session", { cache: "no-store", headers: { Accept: "application/json", Authorization: `Bearer ${text}` } });
        } catch {
          throw invalid("token", "The server cannot be reached");
        }
        if (response.status === 401) throw invalid("token", "The server refuses this token");
        setToken(text);
      },
    });
    declined = answer === null;
    show();
    if (answer !== null) setTimeout(changed);
    return answer !== null;
  }

  onUnauthorized(ask);
  button.onclick = () => {
    declined = false;
    setToken(null);
    show();
    changed();
  };
  show();
}
