import "./styles/base.css";
import "./styles/shell.css";
import "./styles/parts.css";
import "./styles/wall.css";
import "./styles/alerts.css";
import "./styles/editor.css";
import "./styles/pages.css";
import "uplot/dist/uPlot.min.css";

import { effect } from "@preact/signals";
import { render } from "preact";

import { App } from "./app";
import { rest } from "./live/pictures";
import { applyLook } from "./look";
import { listenToAddress } from "./route";
import { t } from "./words";

applyLook();
effect(() => {
  document.documentElement.lang = t().locale === "zh-CN" ? "zh-CN" : "en";
});
listenToAddress();
rest();

const root = document.getElementById("app");
if (root !== null) render(<App />, root);
