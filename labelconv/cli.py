from __future__ import annotations
import sys, click
@click.group()
def main(): pass
@main.command()
@click.argument("src")
@click.argument("dst")
@click.option("--from","from_")
@click.option("--to")
@click.option("-O","ro",multiple=True)
@click.option("-W","wo",multiple=True)
@click.option("--allow",multiple=True)
@click.option("--key")
@click.option("--quiet",is_flag=True)
def convert(src,dst,from_,to,ro,wo,allow,key,quiet):
    from labelconv.convert import convert as c
    from labelconv.options import parse
    r=c(src,dst,from_=from_,to=to,reader_options=parse(ro,"-O"),writer_options=parse(wo,"-W"),allow=allow,key=key)
    if not quiet: print(r.counts,r.ledger, r.fields, r.measures, r.evidence)
