// One module a concept; each finds its own elements and does nothing where there are none.
import "./menus.js";
import "./keys.js";
import "./palette.js";
import "./forms.js";
import "./toasts.js";
import "./live.js";
import "./editor.js";
import "./brand.js";
