// The bell. The database is the truth: the socket only brings what is newer than the cursor, and a client that
// comes back says where it stopped. Without a socket the count is asked for once a minute.
import { show } from "./toasts.js";

const bell = document.querySelector("[data-bell]");
const FIRST_WAIT = 1000;
const LONGEST_WAIT = 30000;
const POLL_EVERY = 60000;

if (bell) {
  const badge = document.querySelector("[data-bell-count]");
  let cursor = Number(bell.dataset.cursor);
  let socket = null;
  let wait = FIRST_WAIT;

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
    if (message.type === "notification") {
      show(message.title, message.body, message.url);
      document.dispatchEvent(new CustomEvent("insula:notification", { detail: message }));
    }
    refresh();
  };

  const connect = () => {
    socket = new WebSocket(`${bell.dataset.socket}?cursor=${cursor}`);
    socket.onopen = () => {
      wait = FIRST_WAIT;
      document.documentElement.dataset.live = "on";
    };
    socket.onmessage = (event) => receive(JSON.parse(event.data));
    socket.onclose = (event) => {
      document.documentElement.dataset.live = "off";
      if (event.code === 4401) return;
      setTimeout(connect, wait + Math.random() * 500);
      wait = Math.min(wait * 2, LONGEST_WAIT);
    };
  };

  connect();
  addEventListener("pagehide", () => socket?.close());
  addEventListener("pageshow", (event) => event.persisted && connect());
  setInterval(async () => {
    if (document.documentElement.dataset.live === "on") return;
    const answer = await fetch(bell.dataset.countUrl, { headers: { "HX-Request": "true" } });
    const unread = Number(answer.headers.get("X-Unread-Count"));
    if (answer.ok && Number.isInteger(unread)) count(unread);
  }, POLL_EVERY);
}
