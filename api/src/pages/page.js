
"use strict";
// The page behind a link in a letter. The token stands behind the `#`, so only this script sees it, and
// nothing happens before a button is pressed: what merely looks at links uses none of them up.
(() => {
  const find = (id) => document.getElementById(id);
  const texts = JSON.parse(find("texts").textContent);
  const page = document.body.dataset.page;
  const base = location.pathname.slice(0, -page.length) + "api/v1/";
  const token = new URLSearchParams(location.hash.slice(1)).get("token");

  async function ask(path, body) {
    const sent = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
    const headers = { "Accept-Language": document.documentElement.lang, ...(sent || {}).headers };
    const reply = await fetch(base + path, { ...sent, headers, credentials: "same-origin", cache: "no-store" });
    const answer = await reply.json();
    if (!reply.ok) throw new Error((answer.errors && answer.errors[0] && answer.errors[0].message) || answer.detail);
    return answer;
  }

  const say = (key, values = {}) => (texts[key] || "").replace(/\{(\w+)\}/g, (_, name) => values[name] || "");

  function element(name, properties, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  function told(problem) {
    find("problem").textContent = problem;
    find("problem").hidden = !problem;
  }

  // Shows a step: what it says, what it asks for, and what its buttons do.
  function show(step, { values, parts = [], fields = [], buttons = [] } = {}) {
    find("title").textContent = document.title = say(step + ".title", values);
    find("lead").textContent = say(step + ".lead", values);
    told("");
    const form = find("form");
    const inputs = fields.flatMap((field) => [element("label", { htmlFor: field.name }, say(field.name)), element("input", { id: field.name, required: true, ...field })]);
    const pressed = buttons.map(([label, act], at) => {
      const button = element("button", { type: at ? "button" : "submit", className: at ? "quiet" : "" }, say(label));
      button.act = act;
      return button;
    });
    form.replaceChildren(...parts, ...inputs, ...pressed);
    form.hidden = false;
    const go = async (button) => {
      pressed.forEach((one) => { one.disabled = true; });
      told("");
      try {
        await button.act(Object.fromEntries(fields.map(({ name }) => [name, find(name).value])));
      } catch (problem) {
        told(problem instanceof TypeError ? say("unreachable") : problem.message);
      }
      pressed.forEach((one) => { one.disabled = false; });
    };
    form.onsubmit = (event) => { event.preventDefault(); if (pressed[0]) go(pressed[0]); };
    pressed.slice(1).forEach((button) => { button.onclick = () => go(button); });
    const first = form.querySelector("input");
    if (first) first.focus();
  }

  // The token is used up, so the address need not keep it.
  function used(answer) {
    history.replaceState(null, "", location.pathname);
    return answer;
  }

  const password = { name: "password", type: "password", autocomplete: "new-password", minLength: 12, maxLength: 128 };
  const code = { name: "code", type: "text", autocomplete: "one-time-code", spellcheck: false, minLength: 6, maxLength: 40 };

  // What signing in asks for next.
  async function go_on(answer) {
    used();
    if (answer.status === "SECOND_FACTOR_REQUIRED") return second_factor(answer, "totp");
    if (answer.status === "ENROLMENT_REQUIRED") return enrol(answer.challenge);
    if (answer.status === "APPROVAL_REQUIRED") return show("approval_awaited");
    if (answer.status === "PHONE_CODE_REQUIRED") return show("phone_awaited");
    const codes = answer.recovery_codes || [];
    if (!codes.length) return show("signed_in");
    show("recovery_codes", { parts: [element("ul", {}, ...codes.map((one) => element("li", {}, one)))] });
  }

  function second_factor({ challenge, methods }, six_digits) {
    const verify = async (given) => {
      const typed = given.code.trim();
      const method = /^\d{6}$/.test(typed) ? six_digits : "recovery_code";
      await go_on(await ask("auth/mfa/verify", { challenge, method, code: typed }));
    };
    const by_mail = async () => {
      await ask("auth/mfa/email-code", { challenge });
      second_factor({ challenge, methods: [] }, "email_code");
    };
    const buttons = [["go_on", verify], ...(methods.includes("email_code") ? [["by_mail", by_mail]] : [])];
    show(six_digits === "totp" ? "second_factor" : "email_code", { fields: [code], buttons });
  }

  async function enrol(challenge) {
    const { secret, otpauth_url } = await ask("auth/mfa/enrol", { challenge });
    const link = element("a", { href: otpauth_url }, say("open_authenticator"));
    const parts = [element("p", {}, element("code", {}, secret)), element("p", {}, link)];
    const confirm = async (given) => go_on(await ask("auth/mfa/confirm", { challenge, code: given.code.trim() }));
    show("enrolment", { parts, fields: [{ ...code, maxLength: 6 }], buttons: [["go_on", confirm]] });
  }

  const pages = {
    "auth/magic-link": () => show("magic_link", {
      buttons: [["sign_in", async () => go_on(await ask("auth/magic-link/complete", { token }))]],
    }),
    "auth/password-reset": () => show("password_reset", {
      fields: [password],
      buttons: [["set_password", async (given) => {
        const answer = used(await ask("auth/password-reset/complete", { token, password: given.password }));
        if (answer.challenge) await go_on(answer);
        else show("password_changed");
      }]],
    }),
    "auth/signup": () => show("signup", {
      fields: [password],
      buttons: [["set_password", async (given) => go_on(await ask("auth/signup/complete", { token, password: given.password }))]],
    }),
    "auth/email-verification": () => show("email_verification", {
      buttons: [["confirm", async () => {
        used(await ask("auth/email-verification/complete", { token }));
        show("email_verified");
      }]],
    }),
    "auth/not-me": () => show("not_me", {
      buttons: [["sign_out", async () => {
        used(await ask("auth/not-me/complete", { token }));
        show("signed_out");
      }]],
    }),
    "invitation": async () => {
      const values = await ask("invitations/" + encodeURIComponent(token));
      const join = async () => {
        const { setup_token } = used(await ask("invitations/accept", { token }));
        const complete = async (given) => go_on(await ask("invitations/complete", { setup_token, password: given.password }));
        show("first_password", { fields: [password], buttons: [["set_password", complete]] });
      };
      show("invitation", { values: { organization: values.organization_name, email: values.email }, buttons: [["accept", join]] });
    },
  };

  const failed = (problem) => { show("no_token"); told(problem instanceof TypeError ? say("unreachable") : problem.message); };
  if (token) Promise.resolve().then(pages[page]).catch(failed);
  else show("no_token");
})();
