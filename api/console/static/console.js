"use strict";
// Everything works without this file. It takes a ticket out of a link, copies references, counts the
// seconds of a revealed value, and adds single keys.

function signInFromLink() {
  const form = document.getElementById("sign-in");
  const ticket = window.location.hash.slice(1);
  if (!form || !/^[A-Za-z0-9_-]{20,128}$/.test(ticket)) return;
  // The fragment is never sent; it is removed at once so that it does not stay in the history.
  history.replaceState(null, "", window.location.pathname);
  document.getElementById("ticket").value = ticket;
  form.submit();
}

function moveInQueue(step) {
  const links = Array.from(document.querySelectorAll("#queue a.row"));
  if (links.length === 0) return;
  const at = links.indexOf(document.activeElement);
  const next = at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + step));
  links[next].focus();
}

// References are copied, values need not be. Without a clipboard the button stays hidden.
function offerCopies() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("button.copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "Copied";
    });
  }
}

// The page leaves by itself anyway; the values go first, and none comes back with the back button.
function hideInTime() {
  const box = document.querySelector(".revealed");
  if (!box) return;
  const end = Date.now() + Number(box.dataset.seconds) * 1000;
  const hide = () => box.replaceChildren("The time is over.");
  const timer = setInterval(() => {
    const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
    document.getElementById("seconds").textContent = left;
    if (left > 0) return;
    clearInterval(timer);
    hide();
  }, 200);
  window.addEventListener("pagehide", hide);
}

function startReview() {
  const heading = document.getElementById("review");
  if (!heading) return;
  heading.scrollIntoView();
  document.getElementById("label").focus();
}

const KEYS = { j: () => moveInQueue(1), k: () => moveInQueue(-1), r: startReview };

function onKey(event) {
  const isOn = document.getElementById("keys");
  const isTyping = event.target.closest("input, select, textarea");
  if (!isOn || !isOn.checked || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = KEYS[event.key];
  if (act) {
    event.preventDefault();
    act();
  }
}

function rememberSwitch() {
  const isOn = document.getElementById("keys");
  if (!isOn) return;
  isOn.checked = localStorage.getItem("keys") !== "off";
  isOn.addEventListener("change", () => localStorage.setItem("keys", isOn.checked ? "on" : "off"));
}

signInFromLink();
rememberSwitch();
offerCopies();
hideInTime();
document.addEventListener("keydown", onKey);
