// The bell. The database is the truth: the socket only brings what is newer than the cursor, and a client that
// comes back says where it stopped. Without a socket the count is asked for once a minute.
import { show } from "./toasts.js";

const bell = document.querySelector("[data-bell]");
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30000;
const POLL_EVERY = 60000;
const SIGNED_OUT = 4401;

if (bell) {
  const badge = document.querySelector("[data-bell-count]");
  let cursor = Number(bell.dataset.cursor);
  let socket = null;
  let wait = FIRST_WAIT;
  let retry = 0;

  const count = (unread) => {
    badge.textContent = unread > 99 ? "99+" : unread;
    badge.hidden = unread === 0;
  };
  const refresh = () => {
    if (bell.matches(":popover-open")) htmx.trigger(bell, "refresh");
  };

  const receive = (message) => {
    if (message.cursor !== undefined) cursor = Math.max(cursor, message.cursor);
    if (message.unread !== undefined) count(message.unread);
    if (message.type === "more") socket.send(JSON.stringify({ type: "next" }));
    if (message.type === "notification") {
      show(message.title, message.body, message.url);
      document.dispatchEvent(new CustomEvent("insula:notification", { detail: message }));
    }
    // Suspended or active again: the page says so, and what it offers changes. Unsaved input is asked for first.
    if (message.type === "workspace") location.reload();
    refresh();
  };

  const connect = () => {
    clearTimeout(retry);
    const mine = new WebSocket(`${bell.dataset.socket}?cursor=${cursor}`);
    socket = mine;
    mine.onopen = () => {
      wait = FIRST_WAIT;
      document.documentElement.dataset.live = "on";
    };
    mine.onmessage = (event) => receive(JSON.parse(event.data));
    mine.onclose = (event) => {
      if (mine !== socket) return;
      document.documentElement.dataset.live = "off";
      if (event.code === SIGNED_OUT) return;
      retry = setTimeout(connect, wait + Math.random() * 500);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    };
  };

  const ask = async () => {
    const answer = await fetch(bell.dataset.countUrl, { headers: { "HX-Request": "true", "X-Passive": "1" } });
    const unread = Number.parseInt(answer.headers.get("X-Unread-Count"), 10);
    if (answer.ok && Number.isInteger(unread)) count(unread);
  };

  connect();
  document.addEventListener("htmx:afterRequest", (event) => {
    const unread = event.detail.xhr.getResponseHeader("X-Unread-Count");
    if (unread !== null) count(Number(unread));
  });
  bell.addEventListener("toggle", refresh);
  addEventListener("pagehide", () => socket.close());
  addEventListener("pageshow", (event) => event.persisted && connect());
  // A socket may take minutes to notice that the network is gone; the browser knows at once.
  addEventListener("offline", () => socket.close());
  addEventListener("online", connect);
  setInterval(() => {
    // The server looks at the database for a ping, so a push that was lost is late by a minute at most.
    if (socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify({ type: "ping" }));
    else if (navigator.onLine) ask().catch(() => {});
  }, POLL_EVERY);
}
