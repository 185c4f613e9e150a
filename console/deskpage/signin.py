"""The page to sign in: plain HTML without script, so that nothing of the desk is sent to anybody who is not let in."""

from __future__ import annotations

from html import escape
from importlib import resources

from console.deskpage.words import word

_STYLE = resources.files("console.deskpage").joinpath("signin.css").read_text("utf-8")


def sign_in_page(language: str, trouble: str | None = None, name: str = "") -> str:
    """`trouble`: a key of words.py."""

    def w(key: str) -> str:
        return escape(word(language, key))

    wrong = f'<p class="wrong" role="alert">{w(trouble)}</p>' if trouble else ""
    other = "en" if language == "vi" else "vi"
    return f"""<!doctype html>
<html lang="{language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{w("title")}</title><style>{_STYLE}</style></head>
<body><main>
<h1>{w("title")}</h1><p>{w("only_pseudonyms")}</p>{wrong}
<form method="post" action="/sign-in" autocomplete="on">
<label for="name">{w("name")}</label>
<input id="name" name="name" autocomplete="username" required autofocus maxlength="64" value="{escape(name, True)}">
<label for="password">{w("password")}</label>
<input id="password" name="password" type="password" autocomplete="current-password" required maxlength="200">
<button class="go" type="submit">{w("sign_in")}</button>
</form>
<form class="switch" method="post" action="/language"><input type="hidden" name="to" value="{other}">
<button type="submit" lang="{other}">{w("switch")}</button></form>
</main></body></html>
"""
