// One module a concept; each finds its own elements and does nothing where there are none.
// First, because its forms are not sent until the browser has answered.
import "./passkeys.js";
import "./menus.js";
import "./tabs.js";
import "./keys.js";
import "./palette.js";
import "./forms.js";
import "./toasts.js";
import "./live.js";
import "./idle.js";
import "./editor.js";
import "./brand.js";
import "./avatar.js";
