// A conversation with the platform: typed or spoken in the browser, each turn with what was understood and how long it took.
import Box from "@mui/material/Box";
import Button from "@mui/material/Button";
import Paper from "@mui/material/Paper";
import TextField from "@mui/material/TextField";
import Typography from "@mui/material/Typography";
import { MessagesSquare, Mic, Send, Square } from "lucide-react";
import { useEffect, useRef, useState, type FormEvent } from "react";

import { AWAY, path, Problem, save, tell } from "../api/client";
import type { DialogAnswer } from "../api/types";
import { useAnnounce } from "../parts/announce";
import { Prose } from "../parts/bits";
import { Page, Panel, Stacked } from "../parts/Page";
import { Empty, sentence } from "../parts/states";
import { useText } from "../text";
import { Lately } from "./voice/Lately";
import { listenFor, type Unasked } from "./voice/listen";
import { Recorder, upload } from "./voice/recorder";
import { Statistics } from "./voice/Statistics";
import { Turn } from "./voice/Turn";

/** One exchange; without an answer it is under way. What the platform says by itself has only that. */
export interface Exchange {
  id: string;
  said?: string;
  answer?: DialogAnswer;
  unasked?: Unasked;
  problem?: Problem;
}

/** Exchanges that stay in sight. */
const MOST = 50;

export default function Voice() {
  const { t, language } = useText();
  const { say: announce } = useAnnounce();
  const [who, setWho] = useState("console");
  const [words, setWords] = useState("");
  const [exchanges, setExchanges] = useState<Exchange[]>([]);
  const [recorder, setRecorder] = useState<Recorder>();
  const [refused, setRefused] = useState<string>();
  const end = useRef<HTMLDivElement>(null);

  useEffect(() => {
    // Returns a promise in new browsers, which would be taken for what undoes the effect.
    void end.current?.scrollIntoView({ block: "nearest" });
  }, [exchanges]);
  useEffect(() => () => recorder?.cancel(), [recorder]);
  useEffect(() => {
    if (!who.trim()) return;
    let end = () => undefined as void;
    const told = (unasked: Unasked) => {
      setExchanges((all) => [...all, { id: unasked.id, unasked }].slice(-MOST));
      announce(unasked.text);
    };
    // Not at every letter of a name.
    const begin = setTimeout(() => (end = listenFor(who, told)), 300);
    return () => {
      clearTimeout(begin);
      end();
    };
  }, [who, announce]);

  const exchange = async (said: string | undefined, ask: (id: string) => Promise<DialogAnswer>) => {
    const id = crypto.randomUUID();
    const put = (more: Partial<Exchange>) =>
      setExchanges((all) => all.map((one) => (one.id === id ? { ...one, ...more } : one)));
    setExchanges((all) => [...all, { id, said }].slice(-MOST));
    try {
      const answer = await ask(id);
      put({ answer });
      announce(answer.text);
      if (answer.audio) void new Audio(`data:audio/wav;base64,${answer.audio.data}`).play().catch(() => undefined);
    } catch (error) {
      put({ problem: error instanceof Problem ? error : new Problem(AWAY, "unavailable", "console.away", String(error)) });
    }
  };

  const ask = (text: string) =>
    void exchange(text, (turnId) => tell<DialogAnswer>("/api/v2/dialog/text", { turnId, userId: who, text }));

  const register = async () => {
    setRefused(undefined);
    try {
      await save(path`/api/users/${who}`, { name: who, language });
      announce(t.personRegistered(who));
      const last = exchanges.at(-1);
      const again = last?.said ?? last?.answer?.heard;
      setExchanges((all) => all.filter(({ answer }) => answer?.outcome !== "user_not_found"));
      if (again) ask(again);
    } catch (error) {
      setRefused(error instanceof Problem ? sentence(t, error) : String(error));
    }
  };
  const isUnknown = exchanges.at(-1)?.answer?.outcome === "user_not_found";

  const say = (event: FormEvent) => {
    event.preventDefault();
    const text = words.trim();
    if (!text) return;
    setWords("");
    ask(text);
  };

  const listen = async () => {
    setRefused(undefined);
    if (!recorder) {
      try {
        setRecorder(await Recorder.begin());
      } catch {
        setRefused(t.voiceNoMicrophone);
      }
      return;
    }
    setRecorder(undefined);
    const recording = await recorder.end();
    void exchange(undefined, (turnId) => upload(recording, { turnId, userId: who, language }));
  };

  return (
    <Page title={t.voice} sentence={t.voiceSentence}>
      <Panel padded title={t.conversation} sentence={t.conversationSentence}>
        <Box role="log" tabIndex={0} aria-label={t.conversation} sx={{ minHeight: 320, maxHeight: "56vh", overflowY: "auto", my: 2 }}>
          {exchanges.length === 0 ? (
            <Empty icon={MessagesSquare} title={t.nothingSaid} sentence={t.nothingSaidSentence} />
          ) : (
            exchanges.map((one) => <Turn key={one.id} exchange={one} />)
          )}
          {isUnknown && (
            <Button variant="outlined" size="small" onClick={() => void register()}>
              {t.registerPerson(who)}
            </Button>
          )}
          <div ref={end} />
        </Box>
        <Paper component="form" elevation={0} onSubmit={say} sx={{ display: "flex", flexWrap: "wrap", gap: 1.25, pb: 2 }}>
          <TextField
            label={t.whoSpeaks}
            size="small"
            value={who}
            onChange={(event) => setWho(event.target.value)}
            slotProps={{ htmlInput: { maxLength: 120 } }}
            sx={{ width: 150 }}
          />
          <TextField
            label={t.words}
            size="small"
            value={words}
            onChange={(event) => setWords(event.target.value)}
            placeholder={t.wordsExample}
            slotProps={{ htmlInput: { maxLength: 2000, autoComplete: "off" } }}
            sx={{ flex: "1 1 240px" }}
          />
          <Button type="submit" variant="contained" disabled={!words.trim() || !who.trim()} startIcon={<Send size={16} aria-hidden />}>
            {t.say}
          </Button>
          <Button
            variant="outlined"
            color={recorder ? "error" : "primary"}
            aria-pressed={Boolean(recorder)}
            disabled={!who.trim()}
            onClick={() => void listen()}
            startIcon={recorder ? <Square size={16} aria-hidden /> : <Mic size={16} aria-hidden />}
          >
            {recorder ? t.endRecording : t.speak}
          </Button>
        </Paper>
        {refused && (
          <Typography role="alert" variant="body2" sx={{ color: "error.main", pb: 2 }}>
            <Prose>{refused}</Prose>
          </Typography>
        )}
      </Panel>
      <Box sx={{ mt: 2.5 }}>
        <Stacked>
          <Statistics />
          <Lately />
        </Stacked>
      </Box>
    </Page>
  );
}
