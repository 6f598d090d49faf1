// The console as a whole: look, language, data, and which page stands at which address.
import CssBaseline from "@mui/material/CssBaseline";
import { ThemeProvider } from "@mui/material/styles";
import { lazy, useEffect, type ComponentType } from "react";
import { SWRConfig } from "swr";
import { Redirect, Route, Switch } from "wouter";

import { FIRST_PAGE, isAnswered } from "./api/answered";
import { ask } from "./api/client";
import { Shell } from "./parts/Shell";
import { listed, type Name } from "./parts/pages";
import { NotHere } from "./pages/NotHere";
import { Nothing } from "./pages/Nothing";
import { TextProvider } from "./text";
import { theme } from "./theme";

// Each page is a file of its own, so that the first one is there soon.
const FILES = {
  Events: () => import("./pages/Events"),
  Event: () => import("./pages/Event"),
  Insights: () => import("./pages/Insights"),
  Voice: () => import("./pages/Voice"),
  Sources: () => import("./pages/Sources"),
  Partners: () => import("./pages/Partners"),
  Webhooks: () => import("./pages/Webhooks"),
  DeadLetters: () => import("./pages/DeadLetters"),
  System: () => import("./pages/System"),
};

/** Returns what stands at the address of a page: the page, or that nothing here answers it. */
function at(name: Name, file: () => Promise<{ default: ComponentType }>): ComponentType {
  const page = listed(name);
  return !page || isAnswered(page.path) ? lazy(file) : () => <NotHere name={name} />;
}

const Home = isAnswered("/") ? at("events", FILES.Events) : () => <Redirect to={FIRST_PAGE} replace />;
const Event = at("events", FILES.Event);
const Insights = at("insights", FILES.Insights);
const Voice = at("voice", FILES.Voice);
const Sources = at("sources", FILES.Sources);
const Partners = at("partners", FILES.Partners);
const Webhooks = at("webhooks", FILES.Webhooks);
const DeadLetters = at("deadLetters", FILES.DeadLetters);
const System = at("system", FILES.System);

/** Milliseconds after which the other pages are fetched: they then open even while the platform is away. */
const FETCH_AHEAD = 1_500;

/** Reads are shared between parts of a page, tried again with patience, and renewed when the page is looked at. */
const READING = {
  fetcher: ask,
  dedupingInterval: 3_000,
  focusThrottleInterval: 10_000,
  errorRetryInterval: 5_000,
};

export function App() {
  useEffect(() => {
    const ahead = () => Object.values(FILES).forEach((file) => void file().catch(() => undefined));
    const timer = setTimeout(ahead, FETCH_AHEAD);
    return () => clearTimeout(timer);
  }, []);
  return (
    <ThemeProvider theme={theme} defaultMode="system" disableTransitionOnChange noSsr>
      <CssBaseline enableColorScheme />
      <TextProvider>
        <SWRConfig value={READING}>
          <Shell>
            <Switch>
              <Route path="/" component={Home} />
              <Route path="/events/:eventId" component={Event} />
              <Route path="/insights" component={Insights} />
              <Route path="/voice" component={Voice} />
              <Route path="/sources" component={Sources} />
              <Route path="/partners" component={Partners} />
              <Route path="/webhooks" component={Webhooks} />
              <Route path="/dead-letters" component={DeadLetters} />
              <Route path="/system" component={System} />
              <Route component={Nothing} />
            </Switch>
          </Shell>
        </SWRConfig>
      </TextProvider>
    </ThemeProvider>
  );
}
