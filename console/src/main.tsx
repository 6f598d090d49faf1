// Starts the console in the page.
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { LivePage } from "./LivePage";
import "./style.css";

const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <LivePage />
    </StrictMode>,
  );
}
