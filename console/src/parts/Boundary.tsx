// Catches a page that cannot be shown, such as one whose file did not arrive, and says what to do.
import Alert from "@mui/material/Alert";
import Button from "@mui/material/Button";
import { Component, type ReactNode } from "react";

import { useText } from "../text";
import { Prose } from "./bits";

interface State {
  hasFailed: boolean;
}

export class Boundary extends Component<{ children: ReactNode }, State> {
  override state: State = { hasFailed: false };

  static getDerivedStateFromError(): State {
    return { hasFailed: true };
  }

  override render() {
    return this.state.hasFailed ? <Failed /> : this.props.children;
  }
}

function Failed() {
  const { t } = useText();
  const again = (
    <Button color="inherit" size="small" onClick={() => window.location.reload()}>
      {t.loadAgain}
    </Button>
  );
  return (
    <Alert severity="error" variant="outlined" role="alert" action={again}>
      <Prose>{t.problemPage}</Prose>
    </Alert>
  );
}
