// Language, appearance, and the key with which the console signs in from elsewhere.
import Button from "@mui/material/Button";
import Dialog from "@mui/material/Dialog";
import DialogActions from "@mui/material/DialogActions";
import DialogContent from "@mui/material/DialogContent";
import DialogContentText from "@mui/material/DialogContentText";
import DialogTitle from "@mui/material/DialogTitle";
import IconButton from "@mui/material/IconButton";
import Menu from "@mui/material/Menu";
import MenuItem from "@mui/material/MenuItem";
import TextField from "@mui/material/TextField";
import Tooltip from "@mui/material/Tooltip";
import { useColorScheme } from "@mui/material/styles";
import { KeyRound, Languages, Moon, Sun, SunMoon } from "lucide-react";
import { useState, useSyncExternalStore, type ReactElement } from "react";
import { useSWRConfig } from "swr";

import { currentKey, onKey, setKey } from "../api/key";
import { useLive } from "../api/live";
import { useText, type Language } from "../text";

interface Choice<T extends string> {
  value: T;
  name: string;
  language?: string;
}

interface ChoiceMenuProps<T extends string> {
  name: string;
  icon: ReactElement;
  choices: Choice<T>[];
  chosen: T;
  onChoose: (value: T) => void;
}

function ChoiceMenu<T extends string>({ name, icon, choices, chosen, onChoose }: ChoiceMenuProps<T>) {
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const spoken = choices.find((choice) => choice.value === chosen)?.name ?? "";
  return (
    <>
      <Tooltip title={name}>
        <IconButton
          aria-label={`${name}: ${spoken}`}
          aria-haspopup="menu"
          aria-expanded={anchor !== null}
          onClick={(event) => setAnchor(event.currentTarget)}
        >
          {icon}
        </IconButton>
      </Tooltip>
      <Menu anchorEl={anchor} open={anchor !== null} onClose={() => setAnchor(null)}>
        {choices.map((choice) => (
          <MenuItem
            key={choice.value}
            lang={choice.language}
            role="menuitemradio"
            aria-checked={choice.value === chosen}
            selected={choice.value === chosen}
            onClick={() => {
              onChoose(choice.value);
              setAnchor(null);
            }}
          >
            {choice.name}
          </MenuItem>
        ))}
      </Menu>
    </>
  );
}

export function LanguageChoice() {
  const { t, language, setLanguage } = useText();
  const choices: Choice<Language>[] = [
    { value: "ko", name: t.korean, language: "ko" },
    { value: "en", name: t.english, language: "en" },
  ];
  const icon = <Languages size={19} aria-hidden />;
  return <ChoiceMenu name={t.language} icon={icon} choices={choices} chosen={language} onChoose={setLanguage} />;
}

export function LookChoice() {
  const { t } = useText();
  const { mode, setMode } = useColorScheme();
  const Icon = mode === "light" ? Sun : mode === "dark" ? Moon : SunMoon;
  const choices: Choice<"system" | "light" | "dark">[] = [
    { value: "system", name: t.lookSystem },
    { value: "light", name: t.lookLight },
    { value: "dark", name: t.lookDark },
  ];
  const icon = <Icon size={19} aria-hidden />;
  return <ChoiceMenu name={t.look} icon={icon} choices={choices} chosen={mode ?? "system"} onChoose={setMode} />;
}

/** Offered where the platform asks for a key, and where one was given. */
export function SignInButton() {
  const { t } = useText();
  const key = useSyncExternalStore(onKey, currentKey);
  const { connection } = useLive();
  const { mutate } = useSWRConfig();
  const [open, setOpen] = useState(false);
  const change = (next: string | null) => {
    setKey(next);
    setOpen(false);
    // What one key may see is not shown under another.
    void mutate(() => true, undefined, { revalidate: true });
  };
  if (key) {
    return (
      <Button size="small" color="secondary" startIcon={<KeyRound size={16} aria-hidden />} onClick={() => change(null)}>
        {t.signOut}
      </Button>
    );
  }
  if (connection !== "refused") return null;
  return (
    <>
      <Button size="small" variant="contained" startIcon={<KeyRound size={16} aria-hidden />} onClick={() => setOpen(true)}>
        {t.signIn}
      </Button>
      <Dialog open={open} onClose={() => setOpen(false)} maxWidth="xs" fullWidth aria-labelledby="sign-in">
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const text = new FormData(event.currentTarget).get("key");
            if (typeof text === "string" && text.trim()) change(text.trim());
          }}
        >
          <DialogTitle id="sign-in">{t.signInTitle}</DialogTitle>
          <DialogContent>
            <DialogContentText sx={{ mb: 2 }}>{t.signInSentence}</DialogContentText>
            <TextField name="key" type="password" label={t.keyField} autoComplete="off" required fullWidth autoFocus />
          </DialogContent>
          <DialogActions>
            <Button color="secondary" onClick={() => setOpen(false)}>
              {t.cancel}
            </Button>
            <Button type="submit" variant="contained">
              {t.signIn}
            </Button>
          </DialogActions>
        </form>
      </Dialog>
    </>
  );
}
